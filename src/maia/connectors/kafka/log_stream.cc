// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/log_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/kafka/log_history.h"

namespace maia::kafka {
namespace {

constexpr std::size_t kMostItems = 10'000;
/// Of one transaction of ours.
constexpr std::size_t kMostBytes = 8u << 20;
/// A source transaction of more bytes than this is not waited for.
constexpr std::size_t kLargest = 32u << 20;

/// A look under a running stream must not keep it from being stopped.
ConnectionConfig impatient(ConnectionConfig config) {
  config.request_timeout =
      std::min<std::chrono::milliseconds>(config.request_timeout, std::chrono::seconds(4));
  return config;
}

/// Takes out of a place what the next one does not have: it was not read on the way there.
void leave_for_later(const LogPlace& next, LogPlace& place) {
  for (auto each = place.topics.begin(); each != place.topics.end();) {
    const auto there = next.topics.find(each->first);
    if (there == next.topics.end()) {
      each = place.topics.erase(each);
      continue;
    }
    auto& offsets = each->second.offsets;
    offsets.resize(std::min(offsets.size(), there->second.offsets.size()));
    ++each;
  }
}

}  // namespace

LogStream::LogStream(Terms terms, Consumer consumer)
    : config_(std::move(terms.config)),
      come_by_(std::move(terms.come_by)),
      tables_(config_, std::move(terms.known_tables)),
      decoder_(std::move(terms.ask_schema)),
      consumer_(std::move(consumer)),
      place_(std::move(terms.from)) {
  // They are in an order: one after another was reached by runs of the same reading.
  std::erase_if(come_by_, [&](const LogPlace& each) { return !(compare(each, place_) > 0); });
  std::sort(come_by_.begin(), come_by_.end(),
            [](const LogPlace& a, const LogPlace& b) { return compare(a, b) > 0; });
}

Result<std::unique_ptr<Stream>> LogStream::open(Terms terms) {
  auto consumer = MAIA_TRY(Consumer::open(terms.config.connection));
  std::unique_ptr<LogStream> stream(new LogStream(std::move(terms), std::move(consumer)));
  MAIA_TRY(stream->look());
  return std::unique_ptr<Stream>(std::move(stream));
}

std::int64_t& LogStream::offset_of(const Name& name) {
  return place_.topics.at(name.first).offsets.at(static_cast<std::size_t>(name.second));
}

/// Whether all topics are what they were, and what there is besides.
Status LogStream::look() {
  const auto connection = impatient(config_.connection);
  Cluster cluster(consumer_.client(), connection);
  rd_kafka_poll(consumer_.client(), 0);
  auto place = with_news(cluster, config_, place_);
  looked_ = system_clock().steady();
  // One broker may not know yet of a topic that was just made; the next look tells.
  const bool missing = !place.ok() && place.error().reason == "topic_deleted";
  if (!missing || std::exchange(missed_, true)) place_ = MAIA_TRY(std::move(place));
  if (!missing) missed_ = false;
  if (!come_by_.empty()) leave_for_later(come_by_.back(), place_);
  return begin_new();
}

/// Begins to read the partitions of the place that are not read yet.
Status LogStream::begin_new() {
  for (const auto& [name, topic] : place_.topics) {
    if (!config_.selects(name)) continue;
    for (std::size_t i = 0; i < topic.offsets.size(); ++i) {
      const Name partition{name, static_cast<std::int32_t>(i)};
      if (!partitions_.try_emplace(partition).second) continue;
      MAIA_TRY(consumer_.begin(name, partition.second, topic.offsets[i]));
    }
  }
  aim();
  return {};
}

/// Sets how far each partition may go on the way to the next place.
void LogStream::aim() {
  if (come_by_.empty()) return;
  const auto& aim = come_by_.back();
  for (auto& [name, partition] : partitions_) {
    const auto topic = aim.topics.find(name.first);
    const auto index = static_cast<std::size_t>(name.second);
    const bool there = topic != aim.topics.end() && index < topic->second.offsets.size();
    partition.limit = there ? topic->second.offsets[index] : offset_of(name);
  }
}

/// When all partitions have come to the next place, they go on from there.
Status LogStream::arrive() {
  if (come_by_.empty()) return {};
  for (auto& [name, partition] : partitions_) {
    const bool read_up = partition.end && *partition.end >= *partition.limit;
    const bool there = partition.waits || read_up || offset_of(name) >= *partition.limit;
    if (!partition.read.empty() || !there) return {};
  }
  place_ = std::move(come_by_.back());
  come_by_.pop_back();
  for (auto& [name, partition] : partitions_) {
    partition.limit.reset();
    if (std::exchange(partition.waits, false))
      MAIA_TRY(consumer_.begin(name.first, name.second, offset_of(name)));
  }
  return look();
}

/// An error of the consumer, or the loss that is behind it.
Status LogStream::named_loss(Error error) {
  const auto connection = impatient(config_.connection);
  Cluster cluster(consumer_.client(), connection);
  auto history = check_history(cluster, config_, place_);
  if (!history.ok() && history.error().code == Error::Code::lost_history) return history;
  // Whatever it is, another session looks at it from the start.
  if (error.code != Error::Code::check_failed) error.recovery = Recovery::reconnect;
  return error;
}

Status LogStream::take(Consumer::Item item) {
  auto& record = item.record;
  auto& partition = partitions_.at({record.topic, record.partition});
  if (partition.waits) return {};
  if (item.is_end) {
    partition.end = record.offset;
    partition.whole = partition.read.size();
    partition.transaction.clear();
    return {};
  }
  partition.end.reset();
  if (partition.limit && record.offset >= *partition.limit) {
    // It is read again when the others are there, too.
    partition.waits = true;
    partition.whole = partition.read.size();
    consumer_.end(record.topic, record.partition);
    return {};
  }
  auto decoded = decoder_.decode(record.key, record.value);
  if (!decoded.ok() && decoded.error().code != Error::Code::data) return std::move(decoded).error();
  std::string transaction;
  if (decoded.ok() && decoded->change) transaction = decoded->change->transaction;
  const bool tombstone = decoded.ok() && !decoded->change;
  // A tombstone belongs to the deletion before it.
  const bool goes_on = tombstone || (!transaction.empty() && transaction == partition.transaction);
  if (!goes_on) {
    partition.whole = partition.read.size();
    partition.transaction = std::move(transaction);
  }
  const auto size = record.key.value_or("").size() + record.value.value_or("").size() + sizeof(Read);
  partition.bytes += size;
  partition.read.push_back({std::move(record), std::move(decoded), size});
  if (partition.transaction.empty() || partition.bytes > kLargest) partition.whole = partition.read.size();
  return {};
}

/// Puts the first record of a partition into the window. False if it cannot be, which ends the window.
Result<bool> LogStream::put_one(Partition& partition, Window& window, sql::WindowBuilder& builder,
                                std::uint64_t& ordinal) {
  auto& [record, decoded, size] = partition.read.front();
  auto at = record.timestamp;
  if (decoded.ok() && decoded->change && decoded->change->committed_at) at = *decoded->change->committed_at;
  auto added = decoded.ok() ? tables_.add(record, *std::move(decoded), builder, ordinal)
                            : Status(std::move(decoded).error());
  if (!added.ok() && config_.unreadable == Unreadable::keep)
    added = tables_.keep(record, added.error().message, builder, ordinal);
  if (!added.ok()) {
    error_ = std::move(added).error().in(record.where());
    error_->hint =
        "unreadable: keep puts such records into a table and goes on; or say under `declare` what the "
        "records "
        "do not";
    return false;
  }
  auto& transaction = window.transactions.front();
  transaction.committed_at = std::max(transaction.committed_at, at);
  transaction.id = fmt::format("{}[{}]@{}", record.topic, record.partition, record.offset);
  offset_of({record.topic, record.partition}) = record.offset + 1;
  partition.bytes -= size;
  partition.read.pop_front();
  --partition.whole;
  return true;
}

Status LogStream::put(Window& window, sql::WindowBuilder& builder) {
  std::uint64_t ordinal = 0;
  std::size_t bytes = 0;
  for (auto& [name, partition] : partitions_) {
    std::string transaction;
    while (partition.whole > 0) {
      const auto& next = partition.read.front();
      const auto* change = next.decoded.ok() && next.decoded->change ? &*next.decoded->change : nullptr;
      const bool tombstone = next.decoded.ok() && !change;
      const bool goes_on =
          tombstone || (change && !transaction.empty() && change->transaction == transaction);
      if (bytes > kMostBytes && !goes_on) break;
      if (!tombstone) transaction = change ? change->transaction : "";
      bytes += next.size;
      if (!MAIA_TRY(put_one(partition, window, builder, ordinal))) return {};
    }
  }
  return {};
}

std::optional<StreamEvent> LogStream::idle() {
  for (auto& [name, partition] : partitions_) {
    if (!partition.read.empty() || !partition.end) continue;
    // What ends a transaction of the producer's takes an offset, too.
    auto& offset = offset_of(name);
    offset = std::max(offset, std::min(*partition.end, partition.limit.value_or(INT64_MAX)));
  }
  auto position = place_.position();
  told_idle_ = told_ != position || !told_idle_;
  if (!told_idle_) return std::nullopt;
  told_ = position;
  return StreamEvent{StreamEvent::Idle{std::move(position)}};
}

Result<std::optional<StreamEvent>> LogStream::next(std::chrono::milliseconds wait, std::stop_token stop) {
  if (error_) return *error_;
  if (system_clock().steady() - looked_ >= config_.look_every) {
    auto looked = look();
    if (!looked.ok()) return std::move(looked).error();
  }
  if (stop.stop_requested()) return std::optional<StreamEvent>();
  auto items = consumer_.next(wait, kMostItems);
  if (!items.ok()) {
    auto lost = named_loss(std::move(items).error());
    return std::move(lost).error();
  }
  for (auto& item : *items) MAIA_TRY(take(std::move(item)));
  Window window;
  window.transactions.emplace_back();
  sql::WindowBuilder builder;
  const auto before = place_;
  MAIA_TRY(put(window, builder));
  MAIA_TRY(arrive());
  if (builder.empty()) {
    if (error_ && place_ == before) return *error_;
    return idle();
  }
  window.items = builder.take();
  window.received_at = system_clock().wall();
  window.end = place_.position();
  window.transactions.front().position = window.end;
  told_ = window.end;
  return std::optional(StreamEvent{StreamEvent::Changes{std::move(window)}});
}

}  // namespace maia::kafka
