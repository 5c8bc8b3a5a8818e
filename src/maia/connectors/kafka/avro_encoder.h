// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "maia/connectors/kafka/avro_writer.h"
#include "maia/connectors/kafka/change_encoder.h"
#include "maia/connectors/kafka/destination_config.h"

namespace maia::kafka {

/// Avro, each record after the mark of its schema at the registry. What it asks the registry for it keeps, by
/// topic and shape of the table.
class AvroEncoder final : public ChangeEncoder {
 public:
  AvroEncoder(Format format, std::string pipeline, RegistryConfig registry, std::chrono::milliseconds timeout)
      : format_(format), pipeline_(std::move(pipeline)), registry_(std::move(registry)), timeout_(timeout) {}

  Result<std::string> key(const std::string& topic, const TableTarget& target, const Batch& batch,
                          std::size_t row, KeyImage image) override;
  Result<std::string> value(const std::string& topic, const TableTarget& target, const Batch& batch,
                            std::size_t row, const Transaction& transaction, WallMicros written_at) override;
  Result<std::string> truncate(const std::string& topic, const TableTarget& target,
                               WallMicros written_at) override;
  std::string_view content_type() const override { return "application/vnd.kafka.avro"; }
  void forget() override { marks_.clear(); }

 private:
  struct Marks {
    std::string key;
    std::string value;
  };
  Result<const Marks*> marks_of(const std::string& topic, const TableTarget& target);
  void append_image(AvroWriter& out, const TableSchema& schema, const Batch& batch, std::size_t row,
                    bool before) const;
  void append_source(AvroWriter& out, const TableTarget& target, const Transaction* transaction,
                     bool snapshot) const;
  void append_envelope(AvroWriter& out, const TableTarget& target, const Batch& batch, std::size_t row,
                       const Transaction& transaction, WallMicros written_at) const;

  const Format format_;
  const std::string pipeline_;
  const RegistryConfig registry_;
  const std::chrono::milliseconds timeout_;
  std::map<std::pair<std::string, SchemaRef>, Marks> marks_;
};

}  // namespace maia::kafka
