// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/assembler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "maia/base/clock.h"

namespace maia::mysql {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

Error out_of_order(std::string_view what) {
  return Error{Error::Code::corruption, Recovery::reconnect, fmt::format("the binary log has {}", what), ""};
}

/// Whether we have had a transaction is told by its number, so a smaller one behind a greater one would be
/// taken for one that we had.
Error not_in_order(const DomainGtid& gtid, std::uint32_t server, const DomainPositions::Last& before) {
  return Error{Error::Code::unsupported, Recovery::halt,
               fmt::format("the binary log has transaction {}-{}-{} behind {}-{}-{} of the same domain",
                           gtid.domain, server, gtid.number, gtid.domain, before.server, before.number),
               "give each server that is written to a gtid_domain_id of its own, set gtid_strict_mode = ON, "
               "and copy the tables anew"};
}

std::string id_of(const Gtid& gtid) {
  const auto tag = gtid.origin.tag.empty() ? "" : ":" + gtid.origin.tag;
  return fmt::format("{}{}:{}", to_text(gtid.origin.uuid), tag, gtid.number);
}

}  // namespace

Assembler::Assembler(LogTables& tables, LogPlace from, Limits limits)
    : tables_(tables), place_(std::move(from)), limits_(limits) {
  const auto read_from = std::exchange(place_.read_from, {});
  if (const auto* passed = std::get_if<DomainPositions>(&place_.passed)) seen_ = read_from.value_or(*passed);
}

Status Assembler::take(const Event& event) {
  return std::visit([&](const auto& body) { return on(body, event.header); }, event.body);
}

StreamEvent Assembler::pop() {
  auto event = std::move(events_.front());
  events_.pop_front();
  return event;
}

Position Assembler::position() const { return place_.position(); }

Status Assembler::begin(AnyGtid gtid, std::string id, WallMicros at, bool skipped) {
  if (open_) return out_of_order("a transaction that begins inside of another");
  open_ = Open{};
  open_->gtid = std::move(gtid);
  open_->transaction.id = std::move(id);
  open_->transaction.committed_at = at;
  open_->transaction.first_ordinal = collected_.next_ordinal;
  open_->bytes_before = collected_.bytes;
  open_->rows_before = collected_.rows;
  open_->skipped = skipped;
  large_ = {};
  return {};
}

Status Assembler::on(const Gtid& gtid, const EventHeader& header) {
  if (gtid.anonymous) {
    return Error{Error::Code::check_failed, Recovery::halt,
                 "the binary log has a transaction without a global id", "set gtid_mode = ON at the source"};
  }
  const auto& passed = std::get<GtidSet>(place_.passed);
  const auto at = gtid.committed_at != 0 ? gtid.committed_at : header.seconds * kMicrosPerSecond;
  return begin(gtid, id_of(gtid), at, passed.contains(gtid.origin, gtid.number));
}

Status Assembler::on(const DomainGtid& gtid, const EventHeader& header) {
  const auto& passed = std::get<DomainPositions>(place_.passed);
  const auto last = passed.last(gtid.domain);
  const auto before = seen_.last(gtid.domain);
  if (before && gtid.number <= before->number) return not_in_order(gtid, header.server, *before);
  const bool had = last && gtid.number <= last->number;
  auto id = fmt::format("{}-{}-{}", gtid.domain, header.server, gtid.number);
  auto with_server = gtid;
  with_server.server = header.server;
  // The rows of an XA transaction that was prepared before our place may be undecided there.
  MAIA_TRY(begin(with_server, std::move(id), header.seconds * kMicrosPerSecond, had && !gtid.prepares));
  open_->begun = !gtid.standalone;
  open_->before = before;
  seen_.pass(gtid.domain, {header.server, gtid.number});
  return {};
}

Status Assembler::on(const FormatDescription&, const EventHeader&) {
  tables_.forget_numbers();
  return {};
}

Status Assembler::on(const Query& query, const EventHeader&) {
  if (!open_) return out_of_order("a statement outside of a transaction");
  return statement(read_statement(query.text, query.database));
}

Status Assembler::statement(const Statement& statement) {
  using Kind = Statement::Kind;
  switch (statement.kind) {
    case Kind::begin:
    case Kind::xa_start: open_->begun = true; return {};
    case Kind::xa_end: return {};
    case Kind::commit: return commit();
    case Kind::rollback:
      if (!open_->skipped) roll_back(open_->in_fragments ? 0 : open_->transaction.first_ordinal);
      return commit();
    case Kind::savepoint: open_->savepoints[statement.name] = target().next_ordinal; return {};
    case Kind::rollback_to: {
      const auto at = open_->savepoints.find(statement.name);
      if (at == open_->savepoints.end())
        return out_of_order("a rollback to a savepoint that it does not have");
      if (!open_->skipped) roll_back(at->second);
      return {};
    }
    case Kind::xa_commit:
    case Kind::xa_rollback: return decide(statement);
    default: break;
  }
  if (!open_->skipped) {
    for (auto& item : MAIA_TRY(tables_.apply(statement))) {
      auto& to = target();
      const auto ordinal = to.next_ordinal++;
      if (auto* truncate = std::get_if<Truncate>(&item)) {
        truncate->ordinal = ordinal;
        to.window.add_barrier(std::move(*truncate));
      } else if (auto* change = std::get_if<SchemaChange>(&item)) {
        change->ordinal = ordinal;
        to.window.add_barrier(std::move(*change));
      }
    }
  }
  return open_->begun ? Status() : commit();
}

Status Assembler::on(const TableMap& map, const EventHeader&) {
  if (!open_) return out_of_order("a table outside of a transaction");
  return open_->skipped ? Status() : tables_.take(map);
}

Status Assembler::on(const RowsEvent& rows, const EventHeader& header) {
  if (!open_) return out_of_order("rows outside of a transaction");
  if (open_->skipped) return {};
  auto* entry = MAIA_TRY(tables_.find(rows.table));
  if (entry == nullptr) return {};
  auto& to = target();
  if (entry->change) {
    entry->change->ordinal = to.next_ordinal++;
    open_->told.push_back(*entry->change);
    to.window.add_barrier(*std::exchange(entry->change, {}));
  }
  const auto first = to.next_ordinal;
  MAIA_TRY(entry->decoder.decode(rows, to.window.batch(entry->decoder.schema()), to.next_ordinal));
  to.rows += to.next_ordinal - first;
  to.bytes += header.size;
  if (open_->in_fragments) {
    if (reached(large_, 1)) emit_fragment();
  } else if (reached(to, 2)) {
    begin_fragments();
  }
  return {};
}

void Assembler::roll_back(std::uint64_t from_ordinal) {
  auto& to = target();
  auto [kept, gone] = sql::split(to.window.take(), from_ordinal);
  to.window = sql::WindowBuilder(std::move(kept));
  if (open_->sent) emit({StreamEvent::Abort{open_->transaction.id, from_ordinal}});
  if (open_->sent && from_ordinal == 0) open_->sent = false;
  to.next_ordinal = from_ordinal;
  std::erase_if(open_->savepoints, [&](const auto& each) { return each.second > from_ordinal; });
  for (const auto& change : open_->told) {
    if (change.ordinal >= from_ordinal) tables_.untell(change);
  }
  std::erase_if(open_->told, [&](const auto& change) { return change.ordinal >= from_ordinal; });
}

Status Assembler::commit() {
  if (!open_) return out_of_order("a commit without its transaction");
  if (open_->skipped) {
    open_.reset();
    return {};
  }
  pass(open_->gtid);
  if (open_->in_fragments) {
    emit_fragment();
    auto done = *std::exchange(open_, {});
    if (!done.sent) {
      passed_ = true;
      return {};
    }
    done.transaction.position = position();
    done.transaction.first_ordinal = 0;
    emit({StreamEvent::Commit{done.transaction.id, done.transaction}});
    return {};
  }
  auto done = *std::exchange(open_, {});
  if (collected_.next_ordinal == done.transaction.first_ordinal) {
    passed_ = true;
    return {};
  }
  done.transaction.position = position();
  collected_.transactions.push_back(std::move(done.transaction));
  if (reached(collected_, 1)) flush();
  return {};
}

void Assembler::pass(const AnyGtid& gtid) {
  if (const auto* mysql = std::get_if<Gtid>(&gtid)) {
    std::get<GtidSet>(place_.passed).add(mysql->origin, mysql->number);
    return;
  }
  const auto& domain = std::get<DomainGtid>(gtid);
  auto& passed = std::get<DomainPositions>(place_.passed);
  const auto last = passed.domains().find(domain.domain);
  if (last != passed.domains().end() && last->second.number >= domain.number) return;
  passed.pass(domain.domain, {domain.server, domain.number});
}

void Assembler::flush() {
  const bool passed = std::exchange(passed_, false);
  if (!collected_.transactions.empty()) {
    emit_complete();
  } else if (passed && !open_) {
    emit({StreamEvent::Idle{position()}});
  } else {
    passed_ = passed;
  }
}

void Assembler::emit_complete() {
  auto collected = std::exchange(collected_, {});
  auto items = collected.window.take();
  if (open_ && !open_->in_fragments) {
    // The rows of a transaction that is only half read stay, as if they were the first.
    const auto cut = std::exchange(open_->transaction.first_ordinal, 0);
    auto [complete, rest] = sql::split(std::move(items), cut);
    items = std::move(complete);
    collected_.window = sql::WindowBuilder(std::move(rest));
    collected_.next_ordinal = collected.next_ordinal - cut;
    collected_.bytes = collected.bytes - std::exchange(open_->bytes_before, 0);
    collected_.rows = collected.rows - std::exchange(open_->rows_before, 0);
    for (auto& [name, ordinal] : open_->savepoints) ordinal -= std::min(ordinal, cut);
    for (auto& change : open_->told) change.ordinal -= std::min(change.ordinal, cut);
  }
  if (collected.transactions.empty()) return;
  Window window;
  window.items = std::move(items);
  window.transactions = std::move(collected.transactions);
  window.end = window.transactions.back().position;
  window.received_at = system_clock().wall();
  emit({StreamEvent::Changes{std::move(window)}});
}

void Assembler::begin_fragments() {
  emit_complete();
  large_ = std::exchange(collected_, {});
  open_->in_fragments = true;
  emit_fragment();
}

void Assembler::emit_fragment() {
  large_.bytes = large_.rows = 0;
  if (large_.window.empty()) return;
  Window window;
  window.items = large_.window.take();
  window.received_at = system_clock().wall();
  open_->sent = true;
  emit({StreamEvent::Fragment{open_->transaction.id, std::move(window)}});
}

Status Assembler::on(const XaPrepare& prepare, const EventHeader&) {
  if (!open_) return out_of_order("an XA transaction that does not begin");
  if (prepare.one_phase || open_->skipped) return commit();
  if (!open_->in_fragments) begin_fragments();
  emit_fragment();
  auto done = *std::exchange(open_, {});
  prepared_.insert_or_assign(prepare.xid, Prepared{done.gtid, done.transaction.id, done.sent, done.before});
  if (place_.mariadb()) {
    pass(done.gtid);
    passed_ = true;
  }
  finish_read_from();
  return {};
}

/// At MySQL a prepared transaction is left out of the position until it is decided. MariaDB's positions
/// cannot leave one out, so they say that reading begins before it.
void Assembler::finish_read_from() {
  place_.read_from.reset();
  if (!place_.mariadb() || prepared_.empty()) return;
  auto& read_from = place_.read_from.emplace(std::get<DomainPositions>(place_.passed));
  for (const auto& [xid, waits] : prepared_) {
    const auto domain = std::get<DomainGtid>(waits.gtid).domain;
    const auto last = read_from.last(domain);
    if (!waits.before || (last && waits.before->number < last->number))
      read_from.go_back(domain, waits.before);
  }
}

Status Assembler::decide(const Statement& statement) {
  const auto found = prepared_.find(statement.name);
  const bool known = found != prepared_.end();
  const bool commits = statement.kind == Statement::Kind::xa_commit;
  if (!known) {
    if (open_->skipped || !commits) return commit();
    return Error{
        Error::Code::lost_history, Recovery::halt,
        "an XA transaction has committed that was prepared before reading began, so its rows were not read",
        "copy the tables anew", "xa_unknown"};
  }
  auto waits = std::move(found->second);
  prepared_.erase(found);
  finish_read_from();
  auto done = *std::exchange(open_, {});
  pass(waits.gtid);
  pass(done.gtid);
  if (!waits.sent) {
    passed_ = true;
    return {};
  }
  if (!commits || done.skipped) {
    emit({StreamEvent::Abort{waits.id, 0}});
    passed_ = true;
    return {};
  }
  flush();
  done.transaction.position = position();
  done.transaction.id = waits.id;
  done.transaction.first_ordinal = 0;
  emit({StreamEvent::Commit{waits.id, done.transaction}});
  return {};
}

}  // namespace maia::mysql
