// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>

#include "maia/codec/json_writer.h"
#include "maia/connectors/kafka/change_encoder.h"
#include "maia/connectors/kafka/destination_config.h"

namespace maia::kafka {

/// JSON: a key is {"id":7}, a value the envelope, the flat row or a CloudEvent.
class JsonEncoder final : public ChangeEncoder {
 public:
  JsonEncoder(Format format, std::string pipeline) : format_(format), pipeline_(std::move(pipeline)) {}

  Result<std::string> key(const std::string& topic, const TableTarget& target, const Batch& batch,
                          std::size_t row, KeyImage image) override;
  Result<std::string> value(const std::string& topic, const TableTarget& target, const Batch& batch,
                            std::size_t row, const Transaction& transaction, WallMicros written_at) override;
  Result<std::string> truncate(const std::string& topic, const TableTarget& target,
                               WallMicros written_at) override;
  std::string_view content_type() const override;
  void forget() override { writers_.clear(); }

 private:
  const codec::JsonWriter& writer_of(const TableTarget& target);

  const Format format_;
  const std::string pipeline_;
  std::map<std::pair<TableName, SchemaRef>, codec::JsonWriter> writers_;
};

}  // namespace maia::kafka
