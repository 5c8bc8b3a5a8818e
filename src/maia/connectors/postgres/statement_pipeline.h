// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/connection.h"

namespace maia::postgres {

/// Sends many statements without waiting for the answer to each (libpq's pipeline mode). Parameters are text;
/// a null pointer is NULL. After an error the server skips what follows up to `finish`, which returns the
/// first error. Reads answers as they are due, so that any number of statements runs in bounded memory.
///
///     MAIA_TRY(pipeline.start());
///     MAIA_TRY(pipeline.prepare(...)); MAIA_TRY(pipeline.execute(...)); ...
///     MAIA_TRY(pipeline.finish());
///
/// `finish` must follow a `start` whatever came between, also after an error.
class StatementPipeline {
 public:
  explicit StatementPipeline(Connection& connection) : connection_(connection) {}

  Status start();
  Status prepare(const std::string& name, const std::string& sql);
  /// `tag` comes back with the outcome.
  Status execute(const std::string& name, std::span<const char* const> values, std::size_t tag = 0);
  Status run(const std::string& sql, std::span<const char* const> values = {}, std::size_t tag = 0);
  Status finish();

  /// What the statements did, by their order; complete after `finish`.
  struct Outcome {
    std::size_t tag = 0;
    std::uint64_t affected = 0;
  };
  const std::vector<Outcome>& outcomes() const { return outcomes_; }
  /// Tag of the statement that failed.
  std::optional<std::size_t> failed_tag() const { return failed_tag_; }
  /// The command of the last statement that succeeded, "COMMIT", say.
  const std::string& last_command() const { return last_command_; }

 private:
  Status sent(int accepted, std::size_t tag, bool counts);
  Status read_pending();
  Status read_one();
  Status receive();

  struct Pending {
    std::size_t tag = 0;
    bool counts = false;
  };
  Connection& connection_;
  std::vector<Pending> pending_;
  std::size_t read_ = 0;  ///< how many of pending_ have been answered
  std::vector<Outcome> outcomes_;
  std::optional<std::size_t> failed_tag_;
  std::optional<Error> error_;
  std::string last_command_;
};

}  // namespace maia::postgres
