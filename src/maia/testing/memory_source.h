// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "maia/connector/source.h"

namespace maia::testing {

/// A database that lives in memory and keeps its whole log: the truth that engine tests compare a destination
/// with. Each table has a key `id` (int64) and texts `a` and `b`; `b` is left out of updates that do not
/// touch it, as a source does with large values. Thread-safe.
class MemoryDatabase {
 public:
  using Rows = std::map<std::int64_t, std::pair<std::string, std::string>>;

  explicit MemoryDatabase(std::size_t tables);

  struct Change {
    std::size_t table = 0;
    Op op = Op::insert;
    std::int64_t id = 0;
    std::int64_t new_id = 0;  ///< update: differs from `id` when the key moves
    std::string a;
    std::optional<std::string> b;  ///< update: nothing means untouched
  };
  /// Commits one transaction; its position is the number of transactions so far.
  void commit(std::vector<Change> changes);

  /// Only the first tables are selected: others are not offered, and their changes not sent. All at first.
  void offer(std::size_t tables) { offered_ = tables; }
  std::size_t offered() const { return offered_; }

  const SchemaRef& schema(std::size_t table) const { return schemas_[table]; }
  std::size_t tables() const { return schemas_.size(); }
  /// All rows as of a number of transactions.
  Rows rows(std::size_t table, std::size_t transactions) const;
  std::size_t size() const;
  /// The largest position that a stream was told to be durable.
  std::size_t confirmed() const { return confirmed_; }

 private:
  friend class MemoryStream;
  std::vector<SchemaRef> schemas_;
  std::atomic<std::size_t> confirmed_{0};
  std::atomic<std::size_t> offered_{0};
  mutable std::mutex mutex_;
  std::vector<std::vector<Change>> log_;  // guarded by mutex_
};

/// Faults that a test wants: each call of a named step may be told to fail. Thread-safe.
class Faults {
 public:
  using Decide = std::function<std::optional<Error>(std::string_view step)>;
  explicit Faults(Decide decide) : decide_(std::move(decide)) {}
  Status at(std::string_view step) {
    const std::lock_guard lock(mutex_);
    if (auto error = decide_(step)) return std::move(*error);
    return {};
  }

 private:
  std::mutex mutex_;
  Decide decide_;
};

/// Snapshot steps: "snapshot", "plan", "chunk"; stream steps: "stream", "next".
class MemorySource final : public Source {
 public:
  /// Both outlive the source. Without rows it is a log and no more, from the first transaction on.
  MemorySource(MemoryDatabase& database, Faults& faults, bool has_rows = true)
      : database_(database), faults_(faults), has_rows_(has_rows) {}

  Result<Findings> check() override { return Findings{}; }
  Result<std::vector<SourceTable>> tables() override;
  Result<Prepared> prepare(const std::optional<Position>& resume) override;
  Result<std::unique_ptr<Snapshot>> snapshot() override;
  Result<std::unique_ptr<Stream>> stream(const Position& from, std::vector<SchemaRef> known_tables) override;
  Result<Position> end() override;
  std::partial_ordering compare(const Position& a, const Position& b) const override;
  std::string describe(const Position& position) const override { return position.token; }
  Result<Position> position_from_text(std::string_view text, const Position&) const override {
    return Position{std::string(text)};
  }
  Result<std::vector<std::string>> drop() override { return std::vector<std::string>{}; }

 private:
  MemoryDatabase& database_;
  Faults& faults_;
  const bool has_rows_;
};

}  // namespace maia::testing
