// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "maia/connectors/kafka/change_encoder.h"
#include "maia/connectors/kafka/destination_config.h"
#include "maia/connectors/kafka/protobuf_message.h"

namespace maia::kafka {

/// Protocol Buffers, each record after the mark of its schema at the registry. Numbers of fields go on from
/// the last version that the registry has. What it asks the registry for it keeps, by topic and shape of the
/// table.
class ProtobufEncoder final : public ChangeEncoder {
 public:
  ProtobufEncoder(Format format, std::string pipeline, RegistryConfig registry,
                  std::chrono::milliseconds timeout)
      : format_(format), pipeline_(std::move(pipeline)), registry_(std::move(registry)), timeout_(timeout) {}

  Result<std::string> key(const std::string& topic, const TableTarget& target, const Batch& batch,
                          std::size_t row, KeyImage image) override;
  Result<std::string> value(const std::string& topic, const TableTarget& target, const Batch& batch,
                            std::size_t row, const Transaction& transaction, WallMicros written_at) override;
  Result<std::string> truncate(const std::string& topic, const TableTarget& target,
                               WallMicros written_at) override;
  std::string_view content_type() const override { return "application/x-protobuf"; }
  void forget() override { shapes_.clear(); }

 private:
  /// A message whose schema the registry has.
  struct Registered {
    std::string mark;
    std::vector<std::int32_t> fields;  ///< numbers: the columns', behind those of the flat form's own fields
  };
  struct Shape {
    Registered key;
    Registered row;
  };
  /// What a record says besides the row's values.
  struct Origin {
    std::string_view op;
    const Transaction* transaction = nullptr;  ///< none for a truncate
    std::uint64_t ordinal = 0;
    WallMicros written_at = 0;
    std::vector<std::string> unchanged;  ///< fields that the source did not send
  };
  Result<const Shape*> shape_of(const std::string& topic, const TableTarget& target);
  template <class Text>
  Result<Registered> registered(const std::string& subject, const char* name, ProtobufMessage message,
                                Text text) const;
  std::string image(const Registered& row, const TableSchema& schema, const Batch& batch, std::size_t at,
                    bool before) const;
  std::string source(const TableTarget& target, const Origin& origin) const;
  std::string envelope(const TableTarget& target, const Origin& origin) const;
  std::string flat(const Registered& row, const TableTarget& target, const Origin& origin) const;

  const Format format_;
  const std::string pipeline_;
  const RegistryConfig registry_;
  const std::chrono::milliseconds timeout_;
  std::map<std::pair<std::string, SchemaRef>, Shape> shapes_;
};

}  // namespace maia::kafka
