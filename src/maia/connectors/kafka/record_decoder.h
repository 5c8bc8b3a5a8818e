// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "maia/connectors/kafka/registry.h"
#include "maia/connectors/kafka/row_change.h"

namespace maia::kafka {

/// A record as it was read.
struct SourceRecord {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  WallMicros timestamp = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;

  /// "orders[0] at 17"
  std::string where() const;
};

struct DecodedRecord {
  Datum key;                        ///< null if there is none
  std::optional<RowChange> change;  ///< nothing: a tombstone
};

/// Makes changes of rows out of records in JSON, with or without a schema, and in what a registry's mark in
/// front says. Keeps the schemas that it was told.
class RecordDecoder {
 public:
  /// A schema by its number at the registry.
  using AskSchema = std::function<Result<RegisteredSchema>(std::int32_t id)>;
  explicit RecordDecoder(AskSchema ask) : ask_(std::move(ask)) {}

  /// Code::data, with what is wrong, for a record that cannot be understood. Takes any bytes.
  Result<DecodedRecord> decode(const std::optional<std::string>& key,
                               const std::optional<std::string>& value);

 private:
  Result<Datum> decode_key(std::string_view bytes);
  Result<Datum> decode_marked(std::string_view bytes);

  /// Reads what comes after the mark of one schema.
  using Reader = std::function<Result<Datum>(std::string_view bytes)>;
  static Result<Reader> reader_of(const RegisteredSchema& schema);

  AskSchema ask_;
  std::map<std::int32_t, Reader> readers_;
};

}  // namespace maia::kafka
