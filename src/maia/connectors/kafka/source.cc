// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "maia/connectors/kafka/log_history.h"
#include "maia/connectors/kafka/log_stream.h"
#include "maia/connectors/kafka/sample.h"
#include "maia/connectors/kafka/topics.h"

namespace maia::kafka {
namespace {

RecordDecoder::AskSchema ask_of(const SourceConfig& config) {
  return [registry = config.registry,
          timeout = config.connection.request_timeout](std::int32_t id) -> Result<RegisteredSchema> {
    if (registry.url.empty()) {
      return Error{Error::Code::invalid_config, Recovery::halt,
                   fmt::format("a record is written with schema {} of a registry", id),
                   "say with `registry` where the schema registry is"};
    }
    return schema_by_id(registry, id, timeout);
  };
}

Error none_selected() {
  return Error{Error::Code::check_failed, Recovery::halt, "no topic of the cluster is selected by `topics`",
               "make the topic, correct `topics`, or allow the user DESCRIBE on it"};
}

Result<std::vector<SourceTable>> offered(const SourceConfig& config, Cluster& cluster) {
  const auto topics = MAIA_TRY(selected_topics(cluster, config));
  if (topics.empty()) return none_selected();
  const auto firsts = MAIA_TRY(cluster.offsets(topics, Cluster::kFirst));
  const auto ends = MAIA_TRY(cluster.offsets(topics, Cluster::kEnd));
  std::vector<SourceTable> out;
  for (const auto& schema : MAIA_TRY(sample_tables(config, topics, firsts, ends, ask_of(config)))) {
    SourceTable table{.schema = schema, .mappings = {}, .problem = {}, .hint = {}};
    for (const auto& column : schema->columns)
      table.mappings.push_back({.column = column.name, .native_type = column.native_type, .note = {}});
    const auto topic = schema->id.substr(0, schema->id.find('#'));
    if (const auto end = ends.find(topic); end != ends.end()) {
      const auto& first = firsts.at(topic);
      table.rows_estimate = static_cast<std::uint64_t>(
          std::accumulate(end->second.begin(), end->second.end(), std::int64_t{0}) -
          std::accumulate(first.begin(), first.end(), std::int64_t{0}));
    }
    out.push_back(std::move(table));
  }
  return out;
}

}  // namespace

Result<Cluster> KafkaSource::session() {
  if (!client_) {
    if (again_) config_ = MAIA_TRY(again_());
    auto client = MAIA_TRY(make_client(RD_KAFKA_CONSUMER, config_.connection, {}));
    MAIA_TRY(metadata_of(client.get(), config_.connection));
    client_ = std::move(client);
  }
  return Cluster(client_.get(), config_.connection);
}

Result<Findings> KafkaSource::check() {
  auto cluster = MAIA_TRY(session());
  Findings findings;
  const auto topics = MAIA_TRY(selected_topics(cluster, config_));
  if (topics.empty()) {
    const auto none = none_selected();
    findings.push_back({.level = Finding::Level::error, .what = none.message, .why = {}, .fix = none.hint});
    return findings;
  }
  MAIA_TRY(cluster.offsets(topics, Cluster::kEnd));
  Topics settings(client_.get(), config_.connection);
  for (const auto& [name, topic] : topics) {
    const auto policy = MAIA_TRY(settings.setting(name, "cleanup.policy"));
    const auto keeps = MAIA_TRY(settings.setting(name, "delete.retention.ms"));
    if (!policy || policy->find("compact") == policy->npos) continue;
    findings.push_back(
        {.level = Finding::Level::warning,
         .what = fmt::format("the topic {} is compacted, and forgets deletions after {} ms", name,
                             keeps.value_or("delete.retention.ms")),
         .why = "a deletion that is forgotten before MAIA reads it leaves its row at the destination",
         .fix = "keep delete.retention.ms above the longest time that the pipeline may stand still"});
  }
  findings.push_back({.level = Finding::Level::ok,
                      .what = fmt::format("{} topics can be read", topics.size()),
                      .why = {},
                      .fix = {}});
  return findings;
}

Result<std::vector<SourceTable>> KafkaSource::tables() {
  auto cluster = MAIA_TRY(session());
  auto tables = offered(config_, cluster);
  if (!tables.ok() && tables.error().recovery == Recovery::reconnect) client_.reset();
  return tables;
}

Result<Source::Prepared> KafkaSource::prepare(const std::optional<Position>& resume) {
  auto cluster = MAIA_TRY(session());
  if (!resume || resume->empty())
    return Prepared{MAIA_TRY(place_to_start(cluster, config_)).position(), true};
  auto place = MAIA_TRY(LogPlace::parse(*resume));
  MAIA_TRY(check_history(cluster, config_, place));
  places_.push_back(std::move(place));
  return Prepared{*resume, false};
}

Result<std::unique_ptr<Snapshot>> KafkaSource::snapshot() {
  return Error{Error::Code::unsupported, Recovery::halt,
               "Kafka keeps changes and no rows that could be copied or compared",
               "maia tail shows the changes"};
}

Result<std::unique_ptr<Stream>> KafkaSource::stream(const Position& from,
                                                    std::vector<SchemaRef> known_tables) {
  client_.reset();  // so that passwords are read anew
  auto cluster = MAIA_TRY(session());
  LogStream::Terms terms;
  terms.from = MAIA_TRY(LogPlace::parse(from));
  MAIA_TRY(check_history(cluster, config_, terms.from));
  terms.config = config_;
  terms.come_by = places_;
  terms.known_tables = std::move(known_tables);
  terms.ask_schema = ask_of(config_);
  return LogStream::open(std::move(terms));
}

Result<Position> KafkaSource::end() {
  auto cluster = MAIA_TRY(session());
  LogPlace place;
  place.cluster = MAIA_TRY(cluster.id());
  const auto topics = MAIA_TRY(selected_topics(cluster, config_));
  for (auto& [name, offsets] : MAIA_TRY(cluster.offsets(topics, Cluster::kEnd)))
    place.topics[name] = TopicPlace{.id = topics.at(name).id, .offsets = offsets};
  return place.position();
}

std::string KafkaSource::describe(const Position& position) const {
  const auto place = LogPlace::parse(position);
  return place.ok() ? place->text() : position.token;
}

Result<Position> KafkaSource::position_from_text(std::string_view text, const Position& near) const {
  auto place = MAIA_TRY(LogPlace::parse(near));
  const Error wrong{
      Error::Code::invalid_config, Recovery::halt, "what was given is no place in the topics",
      "write the offset of each partition, such as \"orders[0]=12 orders[1]=7\"; those that are "
      "left out are where the journal is"};
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto bracket = part.rfind('[');
    const auto equals = part.rfind("]=");
    if (bracket == part.npos || equals == part.npos || equals < bracket) return wrong;
    std::size_t partition = 0;
    std::int64_t offset = 0;
    const auto number = part.substr(bracket + 1, equals - bracket - 1);
    const auto value = part.substr(equals + 2);
    const auto one = std::from_chars(number.data(), number.data() + number.size(), partition);
    const auto other = std::from_chars(value.data(), value.data() + value.size(), offset);
    const auto topic = place.topics.find(std::string(part.substr(0, bracket)));
    const bool read = one.ec == std::errc() && other.ec == std::errc() &&
                      one.ptr == number.data() + number.size() && other.ptr == value.data() + value.size();
    if (!read || offset < 0 || topic == place.topics.end() || partition >= topic->second.offsets.size())
      return wrong;
    topic->second.offsets[partition] = offset;
  }
  return place.position();
}

}  // namespace maia::kafka
