// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/testing/child_process.h"

namespace maia::testing {

/// A scratch Kafka of one node that is broker and controller, on loopback ports of its own. Topics are not
/// made by being used. Lives and dies as PostgresServer does. Not thread-safe.
class KafkaBroker {
 public:
  struct Options {
    std::string version = "4.1.1";                ///< of `$MAIA_DEPS/kafka-<version>`
    std::map<std::string, std::string> settings;  ///< server.properties, over those of the fixture
    /// Protocol of the listener for clients: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
    std::string protocol = "PLAINTEXT";
  };
  static Result<std::unique_ptr<KafkaBroker>> start(const Options& options);

  KafkaBroker(const KafkaBroker&) = delete;
  KafkaBroker& operator=(const KafkaBroker&) = delete;
  ~KafkaBroker();

  int port() const { return port_; }
  /// "127.0.0.1:<port>"
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// A second listener, in plain text and without authentication, whatever the first one asks for. Where
  /// there are privileges, whoever comes this way has them all.
  std::string inner_address() const { return "127.0.0.1:" + std::to_string(inner_port_); }
  std::string log_tail() const;
  /// Where the records of a partition are, as long as they are few.
  std::filesystem::path log_of(const std::string& topic, std::int32_t partition) const;

  /// SIGKILL. What the broker had written is in the system's cache and not lost.
  void kill9();
  /// Starts it again on the same ports and directory, and waits until it answers.
  Status restart();
  bool running() { return process_ && !process_->poll(); }

 private:
  KafkaBroker(Options options, std::filesystem::path root, int keeper_input, ChildProcess keeper)
      : options_(std::move(options)),
        root_(std::move(root)),
        keeper_input_(keeper_input),
        keeper_(std::move(keeper)) {}
  void write_settings() const;
  Status format();
  Status start_process();
  Status await_ready();

  Options options_;
  std::filesystem::path root_;  ///< server.properties, pid, log, and data/
  int port_ = 0;
  int inner_port_ = 0;
  int controller_port_ = 0;
  int keeper_input_;  ///< closing it tells the keeper to end the broker and remove `root_`
  ChildProcess keeper_;
  std::optional<ChildProcess> process_;
};

/// The broker that all tests of one program share, as shared_postgres().
KafkaBroker& shared_kafka(std::string_view version = "4.1.1");

}  // namespace maia::testing
