// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/source_config.h"

#include <algorithm>

#include "maia/connectors/kafka/meaning.h"
#include "maia/sql/selection.h"
#include "maia/types/time_text.h"

namespace maia::kafka {
namespace {

Status fits_together(const SourceConfig& config) {
  const auto wrong = [](std::string message, std::string hint) {
    return Error{Error::Code::invalid_config, Recovery::halt, std::move(message), std::move(hint)};
  };
  const bool some = std::any_of(config.topics.begin(), config.topics.end(),
                                [](const std::string& each) { return !each.starts_with('!'); });
  if (!some)
    return wrong("`topics` selects nothing", "Name topics or patterns, such as topics: [\"shop.*\"]");
  const bool moment = parse_timestamp(config.start, Zone::utc).has_value();
  if (config.start != "earliest" && config.start != "latest" && !moment) {
    return wrong("start: '" + config.start + "' is no place to start",
                 "Write earliest, latest, or a time such as 2026-11-23 22:29:50Z");
  }
  for (const auto& [topic, declaration] : config.declare) {
    for (const auto& [column, type] : declaration.columns) {
      if (declared_type(type)) continue;
      return wrong("declare: " + topic + ": column " + column + ": '" + type + "' is no type",
                   "Types are boolean, int16, int32, int64, float32, float64, decimal(10,2), string, bytes, "
                   "date, time, timestamp, timestamp_tz, interval, uuid, json; and for numbers what they "
                   "count, such as timestamp-millis or io.debezium.time.MicroTime");
    }
  }
  return {};
}

const config::Spec<Declaration>& declaration_spec() {
  using C = Declaration;
  static const auto spec =
      config::Spec<C>()
          .add("key", &C::key,
               "Columns that tell the rows apart, of the value or of the record's key; a key that is no JSON "
               "object is the value of the one column. Absent: the fields of the record's key.")
          .example("[id]")
          .add("columns", &C::columns,
               "Types of columns, where the records do not say them or say less. A value that is none of its "
               "column's type makes the record unreadable. What numbers count is told by the names that "
               "schemas "
               "have for it: timestamp-millis, io.debezium.time.MicroTime, ...")
          .example("{total: \"decimal(10,2)\"}");
  return spec;
}

}  // namespace

bool SourceConfig::selects(std::string_view topic) const {
  bool selected = false;
  for (const auto& pattern : topics) {
    const bool excludes = pattern.starts_with('!');
    if (!sql::matches_glob(std::string_view(pattern).substr(excludes ? 1 : 0), topic)) continue;
    if (excludes) return false;
    selected = true;
  }
  return selected;
}

const Declaration* SourceConfig::declared(std::string_view topic) const {
  if (const auto found = declare.find(std::string(topic)); found != declare.end()) return &found->second;
  for (const auto& [pattern, declaration] : declare) {
    if (sql::matches_glob(pattern, topic)) return &declaration;
  }
  return nullptr;
}

const config::Spec<SourceConfig>& source_spec() {
  using C = SourceConfig;
  static const auto spec =
      config::Spec<C>()
          .include(&C::connection, connection_spec())
          .add(
              "topics", &C::topics,
              "Topics to read: names, patterns with * and ?, and exclusions with ! in front. Topics that are "
              "made later are found.")
          .required()
          .example("[\"shop.*\", \"!shop.tmp*\"]")
          .add("start", &C::start,
               "Where a new pipeline begins to read: earliest, latest, or a time such as 2026-11-23 "
               "22:29:50Z. Partitions and topics that are found later are read from their beginning.")
          .group("declare", &C::declare, declaration_spec(),
                 "What the records of a topic do not say of their rows, by the topic's name or a pattern.")
          .add(
              "unreadable", &C::unreadable,
              "What becomes of a record that cannot be understood: `stop` stops with an error that names it, "
              "`keep` puts it into the table kafka_unreadable and goes on.")
          .group("registry", &C::registry, registry_spec(),
                 "The schema registry, for records that were written with its schemas.")
          .add("look_every", &C::look_every,
               "How often new topics and partitions are looked for, and whether a topic is still the same.")
          .between(std::chrono::milliseconds(100), std::chrono::minutes(10))
          .advanced()
          .rule(fits_together);
  return spec;
}

}  // namespace maia::kafka
