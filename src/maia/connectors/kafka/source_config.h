// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/connectors/kafka/connection_config.h"
#include "maia/connectors/kafka/registry.h"
#include "maia/types/type.h"

namespace maia::kafka {

/// What becomes of a record that cannot be understood.
enum class Unreadable : std::uint8_t { stop, keep };

/// What a person says of the rows of a topic.
struct Declaration {
  std::vector<std::string> key;
  std::map<std::string, std::string> columns;  ///< as declared_type reads them
};

/// `source:` with `type: kafka`.
struct SourceConfig {
  ConnectionConfig connection;
  std::vector<std::string> topics;
  std::string start = "earliest";
  std::map<std::string, Declaration> declare;
  Unreadable unreadable = Unreadable::stop;
  RegistryConfig registry;
  std::chrono::milliseconds look_every{std::chrono::seconds(3)};

  /// Whether a topic of this name is selected.
  bool selects(std::string_view topic) const;
  /// What is declared of a topic: under its name, or under the first pattern that it follows.
  const Declaration* declared(std::string_view topic) const;
};

const config::Spec<SourceConfig>& source_spec();

}  // namespace maia::kafka

template <>
inline constexpr maia::config::Choice<maia::kafka::Unreadable>
    maia::config::choices_of<maia::kafka::Unreadable>[] = {{"stop", maia::kafka::Unreadable::stop},
                                                           {"keep", maia::kafka::Unreadable::keep}};
