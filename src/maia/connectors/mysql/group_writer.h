// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/mysql/connection.h"
#include "maia/connectors/mysql/write_target.h"
#include "maia/sql/net_changes.h"

namespace maia::mysql {

/// Applies what many changes of tables with keys come to: into a temporary table, then a statement per kind
/// of change. Foreign keys are not checked, so tables come in any order.
class GroupWriter {
 public:
  explicit GroupWriter(Connection& connection) : connection_(connection) {}

  /// Plain inserts: every row is new.
  Status insert(std::span<const TargetDeliveries> groups);
  Status write(std::span<const TargetDeliveries> groups);

 private:
  struct Partial {
    int group = 0;
    std::vector<std::size_t> columns;
    std::size_t rows = 0;
  };
  struct Round {
    int removes = 0;  ///< groups; 0: none
    int rows = 0;     ///< whole rows that the table shall have afterwards
    std::vector<Partial> updates;
    std::vector<Partial> moves;
  };
  Status write_table(const TargetDeliveries& group);
  Status stage(const TargetDeliveries& group, std::vector<Round>& rounds);
  Status stage_round(const WriteTarget& target, const sql::NetRound& net, Round& round);
  Status run_round(const WriteTarget& target, const Round& round);
  Status update(const WriteTarget& target, const Round& round);
  Status put_back(const WriteTarget& target, const Round& round);
  Status keep_afresh(const WriteTarget& target);
  Status keep(const WriteTarget& target, const Partial& partial, bool moved);
  Status expect(const WriteTarget& target, const Partial& partial, std::uint64_t found, const char* what);

  Connection& connection_;
  sql::NetChanges net_;
  int groups_ = 0;
  bool converging_ = false;
};

}  // namespace maia::mysql
