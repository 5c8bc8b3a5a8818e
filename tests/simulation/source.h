// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.h"
#include "flaw.h"
#include "life.h"
#include "maia/connector/source.h"

namespace maia::simulation {

std::uint64_t number(const Position& position);
Position position(std::uint64_t number);

/// How a run's source behaves.
struct SourceHabits {
  std::uint64_t stream_after = 1'000'000;  ///< changes of a running transaction that are sent before it ends
  std::uint64_t group = 3;                 ///< small transactions in a window
  std::uint64_t chunks = 3;                ///< of a table
  bool send_all = false;                   ///< also large values that were not touched
  bool has_rows = true;                    ///< else it is a log and no more, which nobody's reading shortens
  Flaw flaw = Flaw::none;
};

/// A Source over the simulated database, as a well-behaved connector would be.
class SimulatedSource final : public Source {
 public:
  /// `confirmed` hears each position before the database may discard what is before it.
  using Confirmed = std::function<void(std::uint64_t)>;
  SimulatedSource(Database& database, const SourceHabits& habits, Life& life, Confirmed confirmed)
      : database_(database), habits_(habits), life_(life), confirmed_(std::move(confirmed)) {}

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
  Database& database_;
  const SourceHabits& habits_;
  Life& life_;
  Confirmed confirmed_;
  std::optional<std::uint64_t> created_at_;
};

/// Reads tables as of a position in chunks by key; see docs/decisions/0007.
class SimulatedSnapshot final : public Snapshot {
 public:
  SimulatedSnapshot(Database& database, const SourceHabits& habits, Life& life, std::uint64_t at)
      : database_(database), habits_(habits), life_(life), at_(at), session_(life.session("source")) {}
  Position position() const override {
    return simulation::position(habits_.flaw == Flaw::watermark_off_by_one ? at_ - 1 : at_);
  }
  Result<TablePlan> plan(const SchemaRef& table, const std::optional<TablePlanProgress>& progress) override;
  Result<std::unique_ptr<ChunkReader>> open_reader() override;

 private:
  Database& database_;
  const SourceHabits& habits_;
  Life& life_;
  std::uint64_t at_;
  std::uint64_t session_;
};

/// Decodes the log from its beginning and yields what comes after a position.
class SimulatedStream final : public Stream {
 public:
  SimulatedStream(Database& database, const SourceHabits& habits, Life& life, std::uint64_t from,
                  SimulatedSource::Confirmed confirmed);
  ~SimulatedStream() override;
  Result<std::optional<StreamEvent>> next(std::chrono::milliseconds wait, std::stop_token stop) override;
  Status confirm(const Position& durable) override;
  std::optional<std::uint64_t> lag_bytes() const override { return database_.end() - at_; }

 private:
  struct Running {
    std::vector<ChangeRef> changes;
    std::size_t sent = 0;
    bool streamed = false;
  };
  void take(const LogRecord& record);
  void commit(const LogRecord& record, Running& running);
  void send_rest(std::uint64_t transaction, Running& running);
  void end_group();
  void send_abort(std::uint64_t transaction, std::size_t keep);

  Database& database_;
  const SourceHabits& habits_;
  Life& life_;
  const std::uint64_t from_;
  SimulatedSource::Confirmed confirmed_;
  std::uint64_t session_;
  std::uint64_t user_;
  std::uint64_t at_ = 0;
  std::optional<std::uint64_t> told_idle_;
  std::map<std::uint64_t, Running> running_;
  std::vector<std::pair<Transaction, std::vector<ChangeRef>>> group_;
  std::vector<StreamEvent> ready_;
};

}  // namespace maia::simulation
