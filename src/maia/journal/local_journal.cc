// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/local_journal.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/journal/local_cursor.h"
#include "maia/journal/lookup.h"

namespace maia {

namespace {

/// A last segment of so many bytes takes longer to read through than a file takes to be made.
constexpr std::uint64_t kWorthClosing = 256 << 10;

}  // namespace

using journal::Place;
using journal::RecordType;
using journal::SegmentWriter;

Result<std::unique_ptr<LocalJournal>> LocalJournal::open(Disk& disk, Options options) {
  MAIA_TRY(disk.make_directories(options.directory));
  auto lock = MAIA_TRY(disk.lock(options.directory + "/lock"));
  auto state = std::make_shared<journal::JournalState>(disk, options.directory, options.recent_bytes);
  MAIA_TRY(journal::remove_strays(disk, options.directory, 0, UINT64_MAX));
  auto recovered = MAIA_TRY(journal::recover(disk, options.directory, state->pool));
  std::unique_ptr<LocalJournal> journal(
      new LocalJournal(std::move(state), std::move(options), std::move(lock)));
  MAIA_TRY(journal->open_writer(std::move(recovered)));
  return journal;
}

Status LocalJournal::open_writer(journal::Recovered recovered) {
  torn_ = std::move(recovered.torn);
  last_ = recovered.last;
  position_ = recovered.position;
  auto& disk = state_->disk;
  if (recovered.segments.empty() || recovered.complete) {
    journal::SegmentOpen open{last_, position_, false, {}};
    for (const auto& [table, schema] : recovered.schemas) open.schemas.push_back(*schema);
    const auto number = recovered.next_number;
    writer_ = MAIA_TRY(SegmentWriter::create(disk, options_.directory, number, open));
    recovered.segments.push_back({number, last_, last_, number, writer_->size(), {}});
  } else {
    const auto& current = recovered.segments.back();
    writer_ = MAIA_TRY(SegmentWriter::resume(disk, options_.directory, current.number, current.bytes));
    MAIA_TRY(writer_->sync(last_));
    recovered.segments.back().bytes = writer_->size();
  }
  needs_from_ = recovered.segments.back().needs_from;
  span_ = recovered.segments.back().span;
  const std::lock_guard lock(state_->mutex);
  state_->segments = std::move(recovered.segments);
  state_->last = last_;
  state_->visible = last_;
  state_->position = position_;
  state_->schemas = std::move(recovered.schemas);
  return {};
}

template <class Call>
auto LocalJournal::guarded(Call call) -> decltype(call()) {
  if (broken_) return *broken_;
  auto result = call();
  if (!result.ok()) broken_ = result.error();
  return result;
}

Journal::Tail LocalJournal::tail() const {
  const std::lock_guard lock(state_->mutex);
  return {state_->last, state_->position, Sequence{state_->segments.front().base.value + 1}};
}

Status LocalJournal::start(Epoch run) {
  return guarded([&]() -> Status {
    running_.clear();
    take_ahead_back();
    Bytes payload;
    ByteWriter(payload).u64(run.value);
    MAIA_TRY(write(RecordType::start, last_, payload));
    note_written();
    return {};
  });
}

Status LocalJournal::reset(Sequence base, const Position& position) {
  return guarded([&]() -> Status {
    running_.clear();
    take_ahead_back();
    const auto number = writer_->number() + 1;
    auto& disk = state_->disk;
    writer_ = MAIA_TRY(SegmentWriter::create(disk, options_.directory, number, {base, position, true, {}}));
    last_ = base;
    position_ = position;
    needs_from_ = number;
    span_ = {};
    dirty_ = false;
    const std::lock_guard one_at_a_time(release_mutex_);
    {
      const std::lock_guard lock(state_->mutex);
      for (const auto& segment : state_->segments) removal_.add(segment.number);
      state_->segments = {{number, base, base, number, writer_->size(), {}}};
      state_->last = base;
      state_->visible = base;
      state_->position = position;
      state_->recent.clear();
      state_->schemas.clear();
      state_->oldest_running.reset();
    }
    return removal_.run();
  });
}

Status LocalJournal::mend() {
  if (!broken_) return {};
  const auto number = writer_->number();
  std::uint64_t bytes = 0;
  std::uint64_t first = 0;
  {
    const std::lock_guard one_at_a_time(release_mutex_);
    MAIA_TRY(removal_.run());
    const std::lock_guard lock(state_->mutex);
    bytes = state_->segments.back().bytes;
    first = state_->segments.front().number;
  }
  // What follows the segment goes first: without its end record nothing may.
  MAIA_TRY(journal::remove_strays(state_->disk, options_.directory, first, number));
  MAIA_TRY(journal::renew_segment(state_->disk, options_.directory, number, bytes, state_->pool));
  writer_ = MAIA_TRY(SegmentWriter::resume(state_->disk, options_.directory, number, bytes));
  MAIA_TRY(writer_->sync(last_));
  running_.clear();
  take_ahead_back();
  dirty_ = false;
  broken_.reset();
  {
    const std::lock_guard lock(state_->mutex);
    ++state_->renewals;
  }
  note_written();
  show();
  return {};
}

void LocalJournal::hold_until_synced(bool on) {
  hold_ = on;
  if (hold_) take_ahead_back();
  if (!hold_ || !dirty_) show();
}

void LocalJournal::show() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->visible = std::max(state_->visible, last_);
  }
  state_->appended.notify_all();
}

Result<Sequence> LocalJournal::append(StreamEvent event) {
  return guarded([&]() -> Result<Sequence> {
    if (auto* changes = std::get_if<StreamEvent::Changes>(&event.what)) {
      return append_window(std::move(changes->window));
    }
    if (const auto* idle = std::get_if<StreamEvent::Idle>(&event.what)) {
      Window window;
      window.end = idle->position;
      return append_window(std::move(window));
    }
    if (const auto* commit = std::get_if<StreamEvent::Commit>(&event.what)) return append_commit(*commit);
    if (auto* fragment = std::get_if<StreamEvent::Fragment>(&event.what)) {
      MAIA_TRY(append_fragment(std::move(*fragment)));
    } else {
      MAIA_TRY(append_abort(std::get<StreamEvent::Abort>(event.what)));
    }
    return last_;
  });
}

Result<Sequence> LocalJournal::append_window(Window window) {
  MAIA_TRY(roll_if_full());
  const Sequence sequence{last_.value + 1};
  window.sequence = sequence;
  const auto payload = MAIA_TRY(encode(window));
  const auto place = MAIA_TRY(write(RecordType::window, sequence, payload));
  for (const auto& transaction : window.transactions) span_.add(transaction);
  const auto uses = journal::schema_uses(window);
  const auto end = window.end;
  publish(sequence, end, uses, {place, std::make_shared<const Window>(std::move(window))});
  return sequence;
}

Status LocalJournal::append_fragment(StreamEvent::Fragment fragment) {
  MAIA_TRY(roll_if_full());
  const auto payload = MAIA_TRY(encode(fragment.window));
  const auto place = MAIA_TRY(write(RecordType::fragment, last_, payload));
  const bool alone = running_.none();
  const bool any = running_.add(fragment.transaction, place, fragment.window);
  note_written();
  if (any) show_ahead(alone, std::move(fragment), place);
  return {};
}

void LocalJournal::show_ahead(bool alone, StreamEvent::Fragment fragment, Place place) {
  {
    const std::lock_guard lock(state_->mutex);
    auto& ahead = state_->ahead;
    // What is held back until it is synced must not be seen by its rows.
    if (alone && !hold_) ahead = std::make_shared<journal::Ahead>(journal::Ahead{fragment.transaction});
    if (!ahead || ahead->transaction != fragment.transaction) return;
    fragment.window.sequence = Sequence{last_.value + 1};
    fragment.window.continues = true;
    ahead->add(place, std::move(fragment.window), options_.recent_bytes);
  }
  state_->appended.notify_all();
}

bool LocalJournal::is_ahead(const std::string& transaction) const {
  const std::lock_guard lock(state_->mutex);
  return state_->ahead && state_->ahead->transaction == transaction;
}

void LocalJournal::take_ahead_back() {
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->ahead) return;
    state_->settle_ahead(nullptr);
  }
  state_->appended.notify_all();
}

Status LocalJournal::append_abort(const StreamEvent::Abort& abort) {
  MAIA_TRY(roll_if_full());
  running_.abort(abort.transaction, abort.from_ordinal);
  if (is_ahead(abort.transaction)) take_ahead_back();
  Bytes payload;
  ByteWriter out(payload);
  out.text(abort.transaction);
  out.varint(abort.from_ordinal);
  MAIA_TRY(write(RecordType::abort, last_, payload));
  note_written();
  return {};
}

Result<Sequence> LocalJournal::append_commit(const StreamEvent::Commit& commit) {
  MAIA_TRY(roll_if_full());
  const Sequence sequence{last_.value + 1};
  auto committed = running_.commit(commit.transaction);
  journal::CommitRecord record{commit.committed, std::move(committed.fragments), {}, {}};
  journal::LatestSchemas changed;
  for (const auto& use : committed.schemas) changed[use.table] = use.schema;
  for (const auto& [table, schema] : changed) {
    if (schema) {
      record.schemas.push_back(MAIA_TRY(writer_->number_of(schema, last_)));
    } else {
      record.dropped.push_back(table);
    }
  }
  const auto place = MAIA_TRY(write(RecordType::commit, sequence, encode_commit(record)));
  for (const auto& fragment : record.fragments) {
    needs_from_ = std::min(needs_from_, fragment.place.segment);
  }
  span_.add(commit.committed);
  WindowRef end;
  if (is_ahead(commit.transaction)) {
    Window window;
    window.sequence = sequence;
    window.transactions = {commit.committed};
    window.end = commit.committed.position;
    window.received_at = commit.committed.committed_at;
    end = std::make_shared<const Window>(std::move(window));
  }
  publish(sequence, commit.committed.position, committed.schemas, {place, nullptr}, end);
  return sequence;
}

Result<Bytes> LocalJournal::encode(const Window& window) {
  Bytes payload;
  ByteWriter out(payload);
  MAIA_TRY(journal::encode_window(out, window, [this](const SchemaRef& schema) {
    state_->pool->add(schema);
    return writer_->number_of(schema, last_);
  }));
  return payload;
}

Result<Place> LocalJournal::write(RecordType type, Sequence sequence, ByteView payload) {
  dirty_ = true;
  return Place{writer_->number(), MAIA_TRY(writer_->append(type, sequence, payload))};
}

void LocalJournal::publish(Sequence sequence, const Position& position,
                           const std::vector<journal::SchemaUse>& schemas,
                           journal::RecentWindows::Entry entry, const WindowRef& end_of_ahead) {
  last_ = sequence;
  if (!position.empty()) position_ = position;
  {
    const std::lock_guard lock(state_->mutex);
    state_->last = last_;
    state_->position = position_;
    for (const auto& use : schemas) journal::apply(state_->schemas, use);
    state_->recent.push(sequence, std::move(entry));
    state_->settle_ahead(end_of_ahead);
  }
  note_written();
  if (!hold_) show();
}

void LocalJournal::note_written() {
  const std::lock_guard lock(state_->mutex);
  auto& current = state_->segments.back();
  current.last = last_;
  current.needs_from = needs_from_;
  current.span = span_;
  current.bytes = writer_->size();
  state_->oldest_running = running_.oldest_segment();
}

Status LocalJournal::roll_if_full() { return writer_->size() < options_.segment_bytes ? Status() : roll(); }

Status LocalJournal::close() {
  return guarded([&] { return writer_->size() < kWorthClosing ? Status() : roll(); });
}

Status LocalJournal::roll() {
  MAIA_TRY(writer_->end({last_, position_, needs_from_, span_, 0}));
  const auto complete = writer_->size();
  journal::SegmentOpen open{last_, position_, false, {}};
  for (const auto& schema : latest_schemas()) open.schemas.push_back(*schema);
  const auto number = writer_->number() + 1;
  writer_ = MAIA_TRY(SegmentWriter::create(state_->disk, options_.directory, number, open));
  needs_from_ = number;
  span_ = {};
  dirty_ = false;
  {
    // The end record belongs to the old segment only now: a mended one has none and is gone on with.
    const std::lock_guard lock(state_->mutex);
    state_->segments.back().bytes = complete;
    state_->segments.push_back({number, last_, last_, number, writer_->size(), {}});
  }
  show();
  return {};
}

Result<Sequence> LocalJournal::sync() {
  return guarded([&]() -> Result<Sequence> {
    if (dirty_) {
      MAIA_TRY(writer_->sync(last_));
      dirty_ = false;
      note_written();
      show();
    }
    return last_;
  });
}

Result<journal::Place> LocalJournal::place_after(Sequence after) const {
  const std::lock_guard lock(state_->mutex);
  const auto& segments = state_->segments;
  if (after < segments.front().base || after > state_->last) {
    return Error{
        Error::Code::lost_history, Recovery::halt,
        fmt::format("the journal in {} holds sequences {} to {}, not what comes after {}", options_.directory,
                    segments.front().base.value + 1, state_->last.value, after.value),
        "the destination and this journal do not belong together any more"};
  }
  const auto next = std::upper_bound(
      segments.begin(), segments.end(), after,
      [](Sequence sequence, const journal::SegmentEntry& segment) { return sequence < segment.base; });
  Place place{std::prev(next)->number, journal::kSegmentMagic.size()};
  if (after == state_->last) place = {segments.back().number, segments.back().bytes};
  return place;
}

Result<std::unique_ptr<JournalCursor>> LocalJournal::read(Sequence after) {
  return std::make_unique<journal::LocalCursor>(state_, after, MAIA_TRY(place_after(after)));
}

template <class Ask>
auto LocalJournal::look_up(Ask ask) -> std::invoke_result_t<Ask, journal::Lookup&> {
  for (;;) {
    std::vector<std::uint64_t> numbers;
    std::uint64_t last_bytes = 0;
    {
      const std::lock_guard lock(state_->mutex);
      for (const auto& segment : state_->segments) numbers.push_back(segment.number);
      last_bytes = state_->segments.back().bytes;
    }
    journal::Lookup lookup(state_->disk, options_.directory, state_->pool, numbers, last_bytes);
    auto found = ask(lookup);
    if (found.ok() || found.error().code != Error::Code::storage) return found;
    const std::lock_guard lock(state_->mutex);
    if (state_->segments.front().number == numbers.front()) return found;
  }
}

Result<Sequence> LocalJournal::before_time(WallMicros moment, WallMicros now) {
  return look_up([&](journal::Lookup& lookup) { return lookup.before_time(moment, now); });
}

Result<Sequence> LocalJournal::up_to_position(const Position& position, const PositionOrder& order) {
  return look_up([&](journal::Lookup& lookup) { return lookup.up_to_position(position, order); });
}

Result<Position> LocalJournal::end_of(Sequence sequence) {
  return look_up([&](journal::Lookup& lookup) { return lookup.end_of(sequence); });
}

Status LocalJournal::release(Sequence through) {
  const std::lock_guard one_at_a_time(release_mutex_);
  {
    const std::lock_guard lock(state_->mutex);
    auto& segments = state_->segments;
    const auto unread = std::find_if(segments.begin(), std::prev(segments.end()),
                                     [&](const auto& each) { return each.last > through; });
    auto keep = std::min(unread->number, state_->oldest_running.value_or(UINT64_MAX));
    // What stays can be read as a whole: fragments stay with the commit that they belong to.
    for (auto each = segments.rbegin(); each != segments.rend() && each->number >= keep; ++each)
      keep = std::min(keep, each->needs_from);
    while (segments.front().number < keep) {
      removal_.add(segments.front().number);
      segments.erase(segments.begin());
    }
  }
  return removal_.run();
}

std::vector<Journal::Part> LocalJournal::parts() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<Part> parts;
  for (const auto& segment : state_->segments) {
    parts.push_back({segment.last, segment.bytes, segment.span.last});
  }
  return parts;
}

std::vector<SchemaRef> LocalJournal::latest_schemas() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<SchemaRef> schemas;
  for (const auto& [table, schema] : state_->schemas) schemas.push_back(schema);
  return schemas;
}

std::uint64_t LocalJournal::disk_bytes() const {
  const std::lock_guard lock(state_->mutex);
  std::uint64_t bytes = 0;
  for (const auto& segment : state_->segments) bytes += segment.bytes;
  return bytes;
}

}  // namespace maia
