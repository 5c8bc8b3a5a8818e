// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that sends dead letters again.
#include <fmt/format.h>

#include <algorithm>

#include "maia/engine/delivery.h"
#include "maia/engine/letter.h"

namespace maia::engine {
namespace {

/// Names, in the checkpoint, the letter whose change was committed with it.
constexpr std::string_view kReplayedFact = "replayed.";
/// Names the last burial that was committed.
constexpr std::string_view kBurialFact = "burial.";

/// Another state directory has letters of its own.
std::string fact_of(std::string_view what, const DeadLetters& letters) {
  return std::string(what) + letters.identity();
}

bool wanted(const DeadLetter& letter, const LetterFilter& which) {
  const auto& table = letter.table;
  const bool named = which.table.empty() || table == which.table || table.ends_with("." + which.table);
  const bool numbered =
      which.ids.empty() || std::find(which.ids.begin(), which.ids.end(), letter.id) != which.ids.end();
  return named && numbered && (!which.failed_before || letter.failed_at < *which.failed_before);
}

/// Rows by table and key.
class Rows {
 public:
  void add(const DeadLetter& letter) {
    for (const auto& key : {letter.key, letter.moved}) {
      if (!key.empty()) keys_.emplace(letter.table_id, key);
    }
  }
  bool has(const DeadLetter& letter) const {
    return keys_.contains({letter.table_id, letter.key}) || keys_.contains({letter.table_id, letter.moved});
  }

 private:
  std::set<std::pair<std::string, std::string>> keys_;
};

}  // namespace

Status Delivery::settle_letters() {
  const auto found = checkpoint_.facts.find(fact_of(kBurialFact, parts_.dead_letters));
  const auto burial = found == checkpoint_.facts.end() ? std::string() : found->second;
  MAIA_TRY(parts_.dead_letters.settle(options_.name, burial));
  burial_.clear();
  return {};
}

void Delivery::tell_burial(CheckpointUpdate& update) const {
  if (!burial_.empty()) update.facts[fact_of(kBurialFact, parts_.dead_letters)] = burial_;
}

Status Delivery::load_letters() {
  const auto replayed = fact_of(kReplayedFact, parts_.dead_letters);
  if (const auto found = checkpoint_.facts.find(replayed); found != checkpoint_.facts.end()) {
    // The process ended, or the answer was lost, between the commit and the mark.
    MAIA_TRY(parts_.dead_letters.replayed(options_.name, {&found->second, 1}));
    other_facts_[replayed] = std::nullopt;
  }
  waiting_.load(MAIA_TRY(parts_.dead_letters.waiting(options_.name, false)));
  return {};
}

Result<std::string> Delivery::replay_letters(const LetterFilter& which, bool force) {
  MAIA_TRY(reachable());
  auto letters = MAIA_TRY(parts_.dead_letters.waiting(options_.name, true));
  std::stable_sort(letters.begin(), letters.end(), [&](const DeadLetter& a, const DeadLetter& b) {
    const auto order = parts_.source.compare(Position{a.token}, Position{b.token});
    return order < 0 || (order == 0 && a.ordinal < b.ordinal);
  });
  Rows stuck;
  Rows moving;
  std::size_t sent = 0;
  std::vector<std::string> left;
  const auto leave = [&](const DeadLetter& letter, std::string_view why) {
    stuck.add(letter);
    left.push_back(fmt::format("{} stays: {}", letter.id, why));
  };
  for (const auto& letter : letters) {
    // What waits for its order only goes with what it waits for.
    if (!wanted(letter, which) && !(letter.stage == "order" && moving.has(letter))) {
      if (!letter.overtaken) stuck.add(letter);
      continue;
    }
    if (letter.overtaken && !force) {
      left.push_back(
          fmt::format("{} stays: a later change of its row was delivered; --force sends it all the "
                      "same, over newer values",
                      letter.id));
      continue;
    }
    if (stuck.has(letter) && !force) {
      leave(letter, "an earlier change of its row waits");
      continue;
    }
    auto done = send(letter);
    if (done.ok()) {
      moving.add(letter);
      ++sent;
    } else if (done.error().code == Error::Code::data) {
      destination_->rollback();
      auto again = letter;
      again.reason = done.error().message;
      again.failed_at = parts_.clock.wall();
      MAIA_TRY(parts_.dead_letters.record({&again, 1}, burial_));
      leave(letter, done.error().message);
    } else {
      const auto error = std::move(done).error().in(fmt::format("after {} dead letters", sent));
      if (auto recovered = recover(error); !recovered.ok()) return std::move(recovered).error();
      return error;
    }
  }
  if (sent == 0 && left.empty()) return options_.name + ": no such dead letter waits";
  auto answer = fmt::format("{}: {} dead letter{} replayed", options_.name, sent, sent == 1 ? "" : "s");
  for (const auto& each : left) answer += "\n  " + each;
  return answer;
}

Status Delivery::send(const DeadLetter& letter) {
  const auto change = MAIA_TRY(decode_change(letter.change));
  const auto found = tables_.find(letter.table_id);
  if (found == tables_.end() || found->second.fact.state != TableState::streaming) {
    return Error{Error::Code::data, Recovery::halt,
                 fmt::format("{} does not stream to {} now", letter.table, options_.name),
                 "replay when `maia status` shows that it streams"};
  }
  const auto& entry = found->second;
  auto way = MAIA_TRY(TableRoute::bind(change.batch.schema(), transforms_, options_));
  way.set_target(entry.fact.target);
  std::vector<RowFailure> failures;
  const auto routed = MAIA_TRY(way.apply(change.batch, {&change.transaction, 1}, failures));
  if (!failures.empty())
    return Error{Error::Code::data, Recovery::halt, failures[0].reason,
                 "mend the transform or edit the letter"};
  MAIA_TRY(destination_->begin());
  if (routed.batch->rows() > 0) {
    const maia::Delivery delivery{.target = &entry.route.target(),
                                  .batch = routed.batch,
                                  .fresh = false,
                                  .converging = true,
                                  .transactions = {&change.transaction, 1}};
    MAIA_TRY(destination_->write({&delivery, 1}));
  }
  // The fact says after a crash that it was delivered; only then it is marked, and the fact goes.
  const auto replayed = fact_of(kReplayedFact, parts_.dead_letters);
  other_facts_[replayed] = letter.operation_id;
  MAIA_TRY(commit(checkpoint_.sequence, checkpoint_.position));
  MAIA_TRY(parts_.dead_letters.replayed(options_.name, {&letter.operation_id, 1}));
  waiting_.forget(letter.table_id, letter.operation_id);
  other_facts_[replayed] = std::nullopt;
  return {};
}

}  // namespace maia::engine
