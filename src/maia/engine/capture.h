// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "maia/base/clock.h"
#include "maia/connector/source.h"
#include "maia/engine/backoff.h"
#include "maia/engine/confirm.h"
#include "maia/engine/options.h"
#include "maia/engine/refused_credentials.h"
#include "maia/engine/retention.h"
#include "maia/engine/stage_load.h"
#include "maia/engine/status.h"
#include "maia/engine/task.h"
#include "maia/journal/journal.h"

namespace maia::engine {

/// Reads the source's log into the journal and confirms what is durable. Waits for no destination, so
/// keepalives are answered whatever the destinations do; but when the journal is full or its disk is ill, it
/// leaves the source, and comes back to it when there is room.
class Capture final : public Task {
 public:
  /// All outlive the task.
  struct Parts {
    Source& source;
    std::mutex& source_mutex;  ///< guards calls on `source` (not on its streams)
    Journal& journal;
    Confirm& confirm;
    StatusBoard& board;
    Observer& observer;
    Clock& clock;
    StageLoad& load;                     ///< told how long the journal takes
    std::chrono::milliseconds patience;  ///< the longest that a step waits for its input
  };
  /// Streams from the journal's tail, or from `start` while the journal is empty; `known` are the shapes that
  /// the tables have there.
  Capture(Parts parts, const PipelineOptions& options, Position start, std::vector<SchemaRef> known);

  const std::string& name() const override { return name_; }
  Result<Step> step(std::stop_token stop) override;

  /// After the last step: the source hears what is durable by now, so that the next run need not read it
  /// again.
  void end();

  /// Makes the position of an idle source durable at once instead of now and then; for draining. Thread-safe.
  void hurry(bool on) { hurry_ = on; }

 private:
  Status connect();
  Status take(StreamEvent event);
  Result<Step> recover(Error error);
  Result<Step> read(std::stop_token stop);
  /// Makes the journal durable where the source may forget what it has.
  Status make_durable(bool quiet);
  /// Code::lost_history if the source has gone back in time.
  Status beat();
  bool at_limit() const;
  /// Lets the journal forget what it may. True: it is full all the same.
  bool forget();
  Result<Step> wait_for_room();
  Status append(StreamEvent event);
  /// An error if what fills the journal is one transaction that has not committed yet.
  Status refuse_oversized() const;
  void watch_source();
  void publish();

  Parts parts_;
  const PipelineOptions& options_;
  const std::string name_ = "capture";
  Position start_;
  std::vector<SchemaRef> known_;
  Retention retention_;
  std::unique_ptr<Stream> stream_;
  std::uint64_t runs_ = 0;
  Backoff backoff_;
  RefusedCredentials credentials_;
  Clock::Steady last_idle_{};
  Clock::Steady last_heartbeat_{};
  Clock::Steady last_publish_{};
  Clock::Steady last_sync_{};
  bool unsynced_ = false;
  bool appended_ = false;  ///< something, in this run
  bool full_ = false;
  /// Bytes that each transaction which is still running at the source has in the journal.
  std::map<std::string, std::uint64_t> running_;
  bool warned_ = false;  ///< that the source holds too much
  std::string notice_;
  std::uint64_t changes_ = 0;
  std::atomic<bool> hurry_{false};
};

}  // namespace maia::engine
