// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/field_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace maia::kafka {

std::string field_name(std::string_view column) {
  std::string out;
  for (const char c : column) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (digit && out.empty()) out += '_';
    out += digit || letter ? c : '_';
  }
  return out.empty() ? "_" : out;
}

std::string name_space(const std::string& topic) {
  std::string out;
  for (std::size_t begin = 0; begin <= topic.size();) {
    const auto end = std::min(topic.find('.', begin), topic.size());
    if (end > begin) out += (out.empty() ? "" : ".") + field_name(topic.substr(begin, end - begin));
    begin = end + 1;
  }
  return out.empty() ? "maia" : out;
}

Status verify_field_names(const TableSchema& schema) {
  std::map<std::string, std::string> columns;
  for (const auto& column : schema.columns) {
    const auto [other, fresh] = columns.emplace(field_name(column.name), column.name);
    if (!fresh) {
      return Error{
          Error::Code::invalid_config, Recovery::halt,
          fmt::format("the columns '{}' and '{}' of {} have the same name in a registry's schema, {}",
                      other->second, column.name, to_string(schema.name), other->first),
          "Rename one of them in a transform, or use encoding: json"};
    }
  }
  return {};
}

}  // namespace maia::kafka
