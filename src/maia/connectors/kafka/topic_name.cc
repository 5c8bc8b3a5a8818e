// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/topic_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::kafka {
namespace {

constexpr std::size_t kLongest = 249;

bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_';
}

Error refused(const TableName& table, std::string why) {
  return Error{Error::Code::invalid_config, Recovery::halt,
               fmt::format("the table {} has no topic: {}", to_string(table), why),
               "Change `topic`, or give the table another name under `tables`"};
}

}  // namespace

std::string topic_text(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !allowed(c); }, '_');
  return out;
}

TopicNames::TopicNames(std::string pattern, std::string pipeline)
    : pattern_(std::move(pattern)), pipeline_(std::move(pipeline)) {}

std::string TopicNames::beginning() const {
  constexpr std::string_view kPipeline = "{pipeline}";
  auto text = pattern_.substr(0, tables_part());
  for (auto at = text.find(kPipeline); at != text.npos; at = text.find(kPipeline, at + pipeline_.size())) {
    text.replace(at, kPipeline.size(), pipeline_);
  }
  return topic_text(text);
}

Result<std::string> TopicNames::of(const TableName& table) {
  if (const auto known = names_.find(table); known != names_.end()) return known->second;
  std::string plain;
  for (std::string_view rest = pattern_; !rest.empty();) {
    const auto end = rest[0] == '{' ? rest.find('}') : rest.npos;
    const auto word = end == rest.npos ? std::string_view() : rest.substr(1, end - 1);
    if (word == "pipeline" || word == "schema" || word == "table") {
      plain += word == "pipeline" ? pipeline_ : word == "schema" ? table.schema : table.table;
      rest.remove_prefix(end + 1);
      // A table without a schema has no empty part in its topic.
      if (word == "schema" && table.schema.empty() && rest.starts_with('.')) rest.remove_prefix(1);
      continue;
    }
    plain += rest[0];
    rest.remove_prefix(1);
  }
  auto topic = topic_text(plain);
  if (topic.empty() || topic == "." || topic == ".." || topic.size() > kLongest) {
    return refused(table, fmt::format("'{}' is not a name that Kafka takes", topic));
  }
  const auto [other, fresh] = plain_names_.emplace(topic, plain);
  if (!fresh && other->second != plain) {
    return refused(table, fmt::format("'{}' and '{}' would both be {}", plain, other->second, topic));
  }
  return names_.emplace(table, std::move(topic)).first->second;
}

}  // namespace maia::kafka
