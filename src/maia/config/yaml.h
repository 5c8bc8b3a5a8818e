// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/config/node.h"

namespace maia::config {

/// Largest document that is read.
inline constexpr std::size_t kLargestYaml = 4 << 20;

/// Parses one YAML 1.1 document. `file` is only for messages. Untrusted input: at most 4 MiB of UTF-8, 64
/// levels deep, with a bounded number of values also after aliases are followed. Duplicate keys, keys that
/// are not text, tags, merge keys and a second document are refused. Plain null, ~ and nothing are Null;
/// every other scalar stays text until a setting gives it a type. Each error names file, line and column.
Result<Node> parse_yaml(std::string_view text, const std::string& file);

/// The text of a file; not checked to be YAML.
Result<std::string> read_text(const std::string& path);
/// Reads and parses a file.
Result<Node> read_yaml(const std::string& path);

/// Block style; secrets are written as "***".
std::string to_yaml(const Node& node);

}  // namespace maia::config
