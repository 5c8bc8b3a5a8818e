// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/types/schema.h"

namespace maia::kafka {

/// Characters that a topic's name cannot have become underscores.
std::string topic_text(std::string_view text);

/// Names the topics of tables by a template with {pipeline}, {schema} and {table}.
class TopicNames {
 public:
  TopicNames(std::string pattern, std::string pipeline);

  /// Code::invalid_config where the name is none that Kafka takes, or where it had to be changed to one and
  /// is now the same as another table's.
  Result<std::string> of(const TableName& table);
  /// What all of them begin with; may be empty.
  std::string beginning() const;
  /// Whether all tables have one topic, which is their beginning.
  bool one_for_all() const { return tables_part() == pattern_.npos; }

 private:
  std::size_t tables_part() const { return std::min(pattern_.find("{schema}"), pattern_.find("{table}")); }

  const std::string pattern_;
  const std::string pipeline_;
  std::map<TableName, std::string> names_;
  std::map<std::string, std::string> plain_names_;  ///< topic to the name before characters were replaced
};

}  // namespace maia::kafka
