// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "maia/connector/source.h"
#include "maia/connectors/mysql/catalog.h"
#include "maia/connectors/mysql/connection.h"
#include "maia/connectors/mysql/position.h"

namespace maia::mysql {

struct SnapshotTerms {
  Connection::Options connect;
  ZeroDates zero_dates = ZeroDates::refuse;
  std::uint32_t chunk_rows = 100'000;
  std::vector<TableName> tables;  ///< those that it is for
  std::size_t sessions = 2;
  int quiet_tries = 20;  ///< how often a moment without commits is looked for before tables are locked
};

/// Sessions whose transactions all see the tables as of one place in the log. Readers take turns at them.
class ViewPool {
 public:
  /// No global lock is taken. The sessions begin their views at a moment when nothing commits; at a server
  /// that never is so, while the tables are locked against writes for some milliseconds (LOCK TABLES), or,
  /// where that is not allowed, one session that MariaDB tells the place of.
  static Result<std::shared_ptr<ViewPool>> open(const SnapshotTerms& terms);

  const LogPlace& place() const { return place_; }
  bool full_images() const { return full_images_; }

  /// A session for as long as the object lives. Waits while others have them all.
  class Turn {
   public:
    explicit Turn(ViewPool& pool);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();
    Connection& session() { return *session_; }

   private:
    ViewPool& pool_;
    std::unique_ptr<Connection> session_;
  };

 private:
  Status begin_views();
  Result<bool> begin_at_quiet_moment(int tries);
  Status begin_under_locks(const SnapshotTerms& terms);
  Status begin_one_exact();

  LogPlace place_;
  bool full_images_ = true;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> sessions_;  ///< guarded by mutex_
};

/// Tables cut by their keys, and read from a ViewPool.
class KeySnapshot final : public Snapshot {
 public:
  KeySnapshot(std::shared_ptr<ViewPool> views, SnapshotTerms terms)
      : views_(std::move(views)), terms_(std::move(terms)), position_(views_->place().position()) {}

  Position position() const override { return position_; }
  Result<TablePlan> plan(const SchemaRef& table, const std::optional<TablePlanProgress>& progress) override;
  Result<std::unique_ptr<ChunkReader>> open_reader() override;

 private:
  std::shared_ptr<ViewPool> views_;
  SnapshotTerms terms_;
  Position position_;
};

/// Everything that has committed at a server by now, as far as its log has it.
Result<LogPlace> read_end(Connection& connection);

}  // namespace maia::mysql
