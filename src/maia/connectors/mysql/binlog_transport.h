// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "maia/base/bytes.h"
#include "maia/base/result.h"
#include "maia/connectors/mysql/connection.h"
#include "maia/connectors/mysql/position.h"

namespace maia::mysql {

/// A session that reads the binary log as a replica does. A thread of its own reads what arrives, up to a
/// bound, so that the network and the decoding go on side by side.
class BinlogTransport {
 public:
  /// Asks for everything that `from` does not have.
  static Result<std::unique_ptr<BinlogTransport>> open(const Connection::Options& connect,
                                                       const LogPlace& from);
  BinlogTransport(const BinlogTransport&) = delete;
  BinlogTransport& operator=(const BinlogTransport&) = delete;
  ~BinlogTransport();

  /// The next event with its header; nothing if none has arrived when `wait` is over or a stop was requested.
  /// The error with which the session ended, once all that came before it was taken.
  Result<std::optional<Bytes>> next(std::chrono::milliseconds wait, const std::stop_token& stop);

 private:
  explicit BinlogTransport(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
  Status begin(const LogPlace& from);
  Status dump(const LogPlace& from);
  void read_all();
  Result<Bytes> read_one();
  Error ended();

  std::unique_ptr<Connection> connection_;  ///< of the thread once it runs
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Bytes> arrived_;  ///< guarded by mutex_, as all that follows
  std::size_t arrived_bytes_ = 0;
  std::optional<Error> end_;
  bool closing_ = false;
  std::jthread reader_;
};

}  // namespace maia::mysql
