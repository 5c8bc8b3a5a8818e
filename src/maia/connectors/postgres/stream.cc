// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/stream.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <thread>

#include "maia/base/log.h"
#include "maia/connectors/postgres/heartbeat.h"
#include "maia/connectors/postgres/slot.h"
#include "maia/sql/quote.h"

namespace maia::postgres {
namespace {

using std::chrono::milliseconds;

/// A transaction that was sent so long after its commit comes from a backlog. Then short rests let the
/// server's sender work in longer runs, and windows are larger; otherwise a transaction goes on at once. An
/// event waits no longer than so for what follows it.
constexpr std::int64_t kBacklogMicros = 20'000;
constexpr std::chrono::microseconds kRest{50};
constexpr milliseconds kLongestRest{5};

/// A confirmed position is told at once, but not more often than this.
constexpr milliseconds kConfirmInterval{200};
/// What is left out of the publication is never sent, and nothing in the stream says so.
constexpr milliseconds kWatchInterval{2'000};
/// Microseconds from 1970 to 2000, where the server's times begin.
constexpr std::int64_t kServerEpoch = 946'684'800'000'000;

std::uint64_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

void put_big_endian(char* at, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) at[i] = static_cast<char>(value >> (56 - 8 * i));
}

Error malformed(std::string_view what) {
  return Error{Error::Code::corruption, Recovery::reconnect,
               "the replication stream has " + std::string(what), ""};
}

Result<std::string> start_sql(const Connection& replication, const StreamTerms& terms) {
  const int version = replication.server_version();
  const bool own_only = terms.origin == ChangeOrigin::none;
  if (own_only && version < 160'000) {
    return Error{Error::Code::check_failed, Recovery::halt,
                 fmt::format("origin: none needs PostgreSQL 16, and the server is {}", version / 10'000),
                 "leave origin out, or upgrade the server"};
  }
  const int protocol = version >= 160'000 ? 4 : version >= 150'000 ? 3 : 2;
  std::string publication;
  for (const char c : sql_name(terms.relations.scope.name)) publication.append(c == '\'' ? 2 : 1, c);
  return fmt::format(
      "START_REPLICATION SLOT {} LOGICAL {} (proto_version '{}', publication_names '{}', messages "
      "'true'{}{}{})",
      sql_name(terms.slot), to_string(terms.from.lsn), protocol, publication,
      terms.notes->only_committed ? "" : ", streaming 'on'", terms.relations.binary ? ", binary 'true'" : "",
      own_only ? ", origin 'none'" : "");
}

}  // namespace

Result<std::unique_ptr<Stream>> SlotStream::open(StreamTerms terms) {
  std::unique_ptr<SlotStream> stream(new SlotStream(terms.from));
  MAIA_TRY(stream->start(std::move(terms)));
  return std::unique_ptr<Stream>(std::move(stream));
}

SlotStream::~SlotStream() {
  if (!replication_ || replication_->broken() || confirmed_ <= told_confirmed_) return;
  static_cast<void>(send_status().ok());
}

Status SlotStream::start(StreamTerms terms) {
  notes_ = terms.notes;
  marked_ = {terms.relations.scope.name, terms.slot};
  publication_ = std::move(terms.publication);
  remembers_ = terms.remembers;
  wish_ = terms.wish;
  scope_ = terms.relations.scope;
  selection_ = terms.relations.selection;
  watched_at_ = Steady::now();
  auto catalogue = terms.connect;
  // What is asked about a table may have to wait for somebody's lock, but never so long that the server hears
  // nothing from us.
  catalogue.settings.emplace_back("statement_timeout", "20s");
  catalogue_ = MAIA_TRY(Connection::open(catalogue));
  const auto timeout = MAIA_TRY(catalogue_->query(
      "SELECT setting, pg_catalog.pg_is_in_recovery() FROM pg_catalog.pg_settings WHERE name = "
      "'wal_sender_timeout'"));
  if (timeout.size() == 1 && timeout.integer(0, 0) > 0) {
    status_interval_ =
        std::min(status_interval_, milliseconds{std::max<std::int64_t>(timeout.integer(0, 0) / 2, 1)});
  }
  if (timeout.size() == 1 && timeout.boolean(0, 1)) notes_->only_committed = true;
  auto options = terms.connect;
  options.replication = true;
  options.settings.emplace_back("?logical_decoding_work_mem",
                                fmt::format("{}kB", terms.decoding_memory >> 10));
  replication_ = MAIA_TRY(Connection::open(options));
  const auto started = replication_->start_copy_both(MAIA_TRY(start_sql(*replication_, terms)));
  if (!started.ok()) {
    auto error = started.error();
    // The state of slot and publication is looked at when the stream is opened again, and named there.
    const auto& state = replication_->last_sqlstate();
    if (state == "55000" || state == "58P01" || state == "42704") error.recovery = Recovery::reconnect;
    return std::move(error).in("start replication from slot " + terms.slot);
  }
  // Somebody else may have moved the slot between our looking at it and our having it; the server would then
  // silently begin later than it was asked to.
  const auto slot = MAIA_TRY(find_slot(*catalogue_, terms.slot));
  if (slot && slot->confirmed) {
    if (*slot->confirmed > from_.lsn) return slot_begins_later(*slot, from_.lsn);
    confirmed_ = *slot->confirmed;
  }
  relations_ = std::make_unique<Relations>(*catalogue_, std::move(terms.relations));
  assembler_ = std::make_unique<Assembler>(*relations_, from_, Assembler::Limits{}, terms.slot);
  return send_status();
}

Result<std::optional<StreamEvent>> SlotStream::next(milliseconds wait, std::stop_token stop) {
  const auto until = Steady::now() + wait;
  for (;;) {
    if (assembler_->has_event()) return std::optional(assembler_->pop());
    auto arrived = take_arrived();
    if (!arrived.ok()) {
      // A message is taken from the session once; after an error only a new stream can have it again.
      auto error = std::move(arrived).error();
      if (error.recovery == Recovery::retry) error.recovery = Recovery::reconnect;
      return error;
    }
    const bool nothing_left = *arrived;
    MAIA_TRY(send_status_if_due());
    MAIA_TRY(watch_publication_if_due());
    if (assembler_->has_event()) continue;
    if (!nothing_left) continue;
    if (MAIA_TRY(rest_on_backlog())) continue;
    assembler_->flush();
    if (assembler_->has_event()) continue;
    const auto now = Steady::now();
    if (stop.stop_requested() || now >= until) return std::optional<StreamEvent>{};
    const auto due = std::max(now, told_at_ + status_interval_);
    const auto slice = std::chrono::ceil<milliseconds>(std::min(until, due) - now);
    MAIA_TRY(replication_->wait_readable(slice, stop));
  }
}

Result<bool> SlotStream::rest_on_backlog() {
  const auto oldest = assembler_->waits_since();
  if (!oldest || static_cast<std::int64_t>(sent_at_ - static_cast<std::uint64_t>(*oldest)) < kBacklogMicros)
    return false;
  const auto now = Steady::now();
  if (!rested_since_) rested_since_ = now;
  if (now - *rested_since_ < kLongestRest) {
    std::this_thread::sleep_for(kRest);
    if (MAIA_TRY(replication_->wait_readable(milliseconds{0}, {}))) return true;
  }
  rested_since_.reset();
  return false;
}

Result<bool> SlotStream::take_arrived() {
  for (;;) {
    char* bytes = nullptr;
    const int length = PQgetCopyData(replication_->native(), &bytes, 1);
    if (length == 0) {
      if (!MAIA_TRY(replication_->wait_readable(milliseconds{0}, {}))) return true;
      continue;
    }
    if (length < 0) return ended();
    const std::unique_ptr<char, void (*)(void*)> owned(bytes, PQfreemem);
    MAIA_TRY(take_message({bytes, static_cast<std::size_t>(length)}));
    if (assembler_->has_event()) return false;
  }
}

Status SlotStream::take_message(std::string_view message) {
  constexpr std::size_t kHeader = 25;  // kind, start, end, time
  if (message.starts_with('k')) return take_keepalive(message);
  if (!message.starts_with('w')) return malformed("a message of an unknown kind");
  if (message.size() < kHeader) return malformed("a message without its header");
  received_ = std::max(received_, big_endian(message, 1));
  sent_at_ = big_endian(message, 17) + kServerEpoch;
  const auto payload = message.substr(kHeader);
  const auto parsed = MAIA_TRY(parser_.parse(std::as_bytes(std::span(payload.data(), payload.size()))));
  auto taken = assembler_->take(parsed, message.size());
  if (relations_->binary_refused()) notes_->binary_refused = true;
  if (relations_->streaming_refused()) notes_->only_committed = true;
  return taken;
}

Status SlotStream::take_keepalive(std::string_view message) {
  if (message.size() != 18) return malformed("a keepalive of another length than 18 bytes");
  const auto end = big_endian(message, 1);
  received_ = std::max(received_, end);
  assembler_->pass_to(end);
  if (message[17] != 0) return send_status();
  return {};
}

Error SlotStream::ended() {
  Rows result(PQgetResult(replication_->native()));
  if (result.native() != nullptr && PQresultStatus(result.native()) == PGRES_FATAL_ERROR) {
    auto error = replication_->error_of(result.native(), "replication");
    const auto& state = replication_->last_sqlstate();
    if (state == "XX000" && !notes_->only_committed) {
      notes_->only_committed = true;
      error.recovery = Recovery::reconnect;
    }
    // The state of slot and publication is looked at when the stream is opened again, and named there.
    if (state == "55000" || state == "58P01" || state == "42704") error.recovery = Recovery::reconnect;
    return error;
  }
  return Error{Error::Code::unavailable, Recovery::reconnect, "the server ended the replication stream", ""};
}

Status SlotStream::confirm(const Position& durable) {
  const auto place = MAIA_TRY(LogPlace::parse(durable));
  if (place.system != from_.system) {
    return Error{Error::Code::internal, Recovery::halt, "a position of another server was confirmed", ""};
  }
  confirmed_ = std::max(confirmed_, std::min(place.lsn, received_));
  return send_status_if_due();
}

Status SlotStream::send_status_if_due() {
  const auto since = Steady::now() - told_at_;
  const bool news = confirmed_ > told_confirmed_ && since >= kConfirmInterval;
  return news || since >= status_interval_ ? send_status() : Status{};
}

Status SlotStream::watch_publication_if_due() {
  if (Steady::now() - watched_at_ < kWatchInterval) return {};
  watched_at_ = Steady::now();
  const auto wanted = [this](const TableName& table) { return selection_.includes(table); };
  auto now = MAIA_TRY(read_publication_mark(*catalogue_, marked_.name, wanted));
  MAIA_TRY(check_publication(*catalogue_, marked_, publication_, now));
  if (now->tables != publication_.tables) {
    publication_ = *std::move(now);
    if (remembers_) MAIA_TRY(remember_publication(*catalogue_, marked_.slot, publication_.text()));
  }
  return wish_ ? add_new_tables() : Status();
}

Status SlotStream::add_new_tables() {
  const auto tables = MAIA_TRY(read_tables(*catalogue_, scope_, [&](const CatalogTable& table) {
    return (table.kind == 'r' || table.kind == 'p') && table.persistence == 'p' && !table.is_partition &&
           selection_.includes(table.name) && !publication_.tables.contains(std::to_string(table.oid));
  }));
  for (const auto& table : tables) {
    // The source refuses updates of a table that is published and does not say which row they mean.
    const auto found = problem_of(table);
    const auto added =
        found.problem.empty()
            ? join_publication(*catalogue_, *wish_, table)
            : Status(Error{Error::Code::check_failed, Recovery::halt, found.problem, found.hint});
    if (added.ok()) continue;
    const auto& error = added.error();
    if (catalogue_->broken()) return error;
    if (!left_out_.insert(table.oid).second) continue;
    log::warning("a new table is left out",
                 {{"table", to_string(table.name)}, {"error", error.message}, {"hint", error.hint}});
  }
  return {};
}

Status SlotStream::send_status() {
  std::array<char, 34> status{};
  status[0] = 'r';
  put_big_endian(&status[1], received_);
  put_big_endian(&status[9], confirmed_);
  put_big_endian(&status[17], confirmed_);
  put_big_endian(&status[25], static_cast<std::uint64_t>(system_clock().wall() - kServerEpoch));
  if (PQputCopyData(replication_->native(), status.data(), static_cast<int>(status.size())) <= 0) {
    return replication_->error_of(nullptr, "replication status");
  }
  MAIA_TRY(replication_->flush(Limits{milliseconds{30'000}, {}}));
  told_confirmed_ = confirmed_;
  told_at_ = Steady::now();
  return {};
}

std::optional<std::uint64_t> SlotStream::lag_bytes() const {
  const Lsn end = std::max<Lsn>(notes_->server_end, received_);
  if (end == 0) return {};
  const auto read = std::max(assembler_->read_to(), from_.lsn);
  return end > read ? end - read : 0;
}

std::optional<std::uint64_t> SlotStream::held_bytes() const {
  const Lsn end = std::max<Lsn>(notes_->server_end, received_);
  if (end == 0 || confirmed_ == 0) return {};
  return end > confirmed_ ? end - confirmed_ : 0;
}

}  // namespace maia::postgres
