// SPDX-License-Identifier: Apache-2.0
#include "flaw.h"

namespace maia::simulation {
namespace {

constexpr std::pair<Flaw, std::string_view> kNames[] = {
    {Flaw::none, "none"},
    {Flaw::early_confirm, "early_confirm"},
    {Flaw::torn_tail_accepted, "torn_tail_accepted"},
    {Flaw::lost_epoch_check, "lost_epoch_check"},
    {Flaw::missed_abort, "missed_abort"},
    {Flaw::watermark_off_by_one, "watermark_off_by_one"},
};

Window copy_of(const Window& window, bool torn) {
  Window copy{.sequence = window.sequence,
              .transactions = window.transactions,
              .items = {},
              .end = window.end,
              .continues = window.continues,
              .received_at = window.received_at};
  for (const auto& item : window.items) {
    if (const auto* batch = std::get_if<Batch>(&item)) {
      Batch rows(batch->schema());
      const auto kept = torn ? batch->rows() / 2 : batch->rows();
      for (std::size_t row = 0; row < kept; ++row) rows.push_row(*batch, row);
      copy.items.emplace_back(std::move(rows));
    } else if (const auto* truncate = std::get_if<Truncate>(&item)) {
      copy.items.emplace_back(*truncate);
    } else {
      copy.items.emplace_back(std::get<SchemaChange>(item));
    }
  }
  return copy;
}

/// Remembers what was appended last.
class RememberingJournal final : public Journal {
 public:
  RememberingJournal(std::unique_ptr<Journal> journal, LastWritten& last)
      : journal_(std::move(journal)), last_(last) {}

  Result<Sequence> append(StreamEvent event) override {
    const auto* changes = std::get_if<StreamEvent::Changes>(&event.what);
    auto window = changes ? std::optional(copy_of(changes->window, false)) : std::nullopt;
    const auto sequence = MAIA_TRY(journal_->append(std::move(event)));
    last_ = {sequence, std::move(window)};
    return sequence;
  }

  Tail tail() const override { return journal_->tail(); }
  Status start(Epoch run) override { return journal_->start(run); }
  Status reset(Sequence base, const Position& position) override {
    last_ = {};
    return journal_->reset(base, position);
  }
  Result<Sequence> sync() override { return journal_->sync(); }
  void hold_until_synced(bool on) override { journal_->hold_until_synced(on); }
  Status mend() override { return journal_->mend(); }
  Result<std::unique_ptr<JournalCursor>> read(Sequence after) override { return journal_->read(after); }
  Result<Sequence> before_time(WallMicros moment, WallMicros now) override {
    return journal_->before_time(moment, now);
  }
  Result<Sequence> up_to_position(const Position& position, const PositionOrder& order) override {
    return journal_->up_to_position(position, order);
  }
  Result<Position> end_of(Sequence sequence) override { return journal_->end_of(sequence); }
  Status release(Sequence through) override { return journal_->release(through); }
  std::vector<Part> parts() const override { return journal_->parts(); }
  std::vector<SchemaRef> latest_schemas() const override { return journal_->latest_schemas(); }
  std::uint64_t disk_bytes() const override { return journal_->disk_bytes(); }

 private:
  std::unique_ptr<Journal> journal_;
  LastWritten& last_;
};

}  // namespace

std::string_view to_string(Flaw flaw) {
  for (const auto& [each, name] : kNames) {
    if (each == flaw) return name;
  }
  return "";
}

std::optional<Flaw> flaw_named(std::string_view name) {
  for (const auto& [flaw, each] : kNames) {
    if (each == name) return flaw;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Journal>> accepting_torn_tail(std::unique_ptr<Journal> journal, LastWritten& last) {
  if (last.window && journal->tail().sequence.value + 1 == last.sequence.value) {
    MAIA_TRY(journal->start(Epoch{0}));
    MAIA_TRY(journal->append(StreamEvent{StreamEvent::Changes{copy_of(*last.window, true)}}));
  }
  return std::unique_ptr<Journal>(std::make_unique<RememberingJournal>(std::move(journal), last));
}

}  // namespace maia::simulation
