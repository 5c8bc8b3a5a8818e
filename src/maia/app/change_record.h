// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "maia/types/window.h"

namespace maia::app {

/// One retained change as people and SQL see it. Images are JSON objects of the columns that the source sent.
struct ChangeRecord {
  Sequence sequence;
  std::string transaction;
  std::string position;
  WallMicros committed_at = 0;
  std::string table;  ///< "schema.table"
  std::string op;     ///< insert, update, delete, read, truncate or schema
  std::optional<std::string> key;
  std::optional<std::string> before;
  std::optional<std::string> after;
  std::string operation_id;
};

/// The change at (item, row) of a window. A truncate of several tables names them all, and a schema change
/// tells in `after` what changed.
ChangeRecord change_record(const Window& window, std::size_t item, std::size_t row);

/// One line of JSON with all members.
std::string to_json(const ChangeRecord& record);
/// One line for people; values that changed are shown as "old -> new".
std::string to_text(const ChangeRecord& record, const Window& window, std::size_t item, std::size_t row);

/// The key of a row before its change in canonical text, its columns separated by commas; nothing without a
/// key.
std::optional<std::string> key_text(const Batch& batch, std::size_t row);
/// The key after the change.
std::optional<std::string> new_key_text(const Batch& batch, std::size_t row);
std::string_view op_word(Op op);

}  // namespace maia::app
