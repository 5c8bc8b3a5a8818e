// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/json_encoder.h"

#include <fmt/format.h>

#include <iterator>

#include "maia/base/json_text.h"
#include "maia/codec/json_value.h"
#include "maia/types/time_text.h"

namespace maia::kafka {
namespace {

constexpr std::size_t kMostWriters = 1000;

std::string_view event_of(Op op) {
  switch (op) {
    case Op::read: return "read";
    case Op::insert: return "created";
    case Op::update: return "updated";
    case Op::remove: return "deleted";
  }
  return "";
}

}  // namespace

std::string_view JsonEncoder::content_type() const {
  return format_ == Format::cloudevents ? "application/cloudevents+json; charset=UTF-8" : "application/json";
}

Result<std::string> JsonEncoder::key(const std::string&, const TableTarget& target, const Batch& batch,
                                     std::size_t row, KeyImage image) {
  std::string out = "{";
  for (const auto i : target.key) {
    if (out.size() > 1) out += ',';
    append_json_string(out, target.schema->columns[i].name);
    out += ':';
    const auto& column = image == KeyImage::before ? batch.old_key(i, row) : batch.after(i);
    if (column.has_value(row)) {
      codec::append_json_value(out, target.schema->columns[i].type, column, row);
    } else {
      out += "null";
    }
  }
  out += '}';
  return out;
}

const codec::JsonWriter& JsonEncoder::writer_of(const TableTarget& target) {
  const std::pair key(target.name, target.schema);
  if (const auto found = writers_.find(key); found != writers_.end()) return found->second;
  if (writers_.size() >= kMostWriters) writers_.clear();
  const codec::ChangeOrigin origin{.connector = "maia", .name = pipeline_, .database = {}};
  const auto form = format_ == Format::flat ? codec::JsonForm::flat : codec::JsonForm::debezium;
  return writers_.emplace(key, codec::JsonWriter(form, origin, target.name, *target.schema)).first->second;
}

Result<std::string> JsonEncoder::value(const std::string&, const TableTarget& target, const Batch& batch,
                                       std::size_t row, const Transaction& transaction,
                                       WallMicros written_at) {
  if (format_ != Format::cloudevents) {
    std::string out;
    writer_of(target).append_row(out, batch, row, transaction, written_at);
    return out;
  }
  std::string out = R"({"specversion":"1.0","id":)";
  append_json_string(out, transaction.operation_id(batch.ordinal(row)));
  out += R"(,"source":)";
  append_json_string(out, "/maia/" + pipeline_);
  fmt::format_to(std::back_inserter(out), R"(,"type":"maia.row.{}","subject":)", event_of(batch.op(row)));
  append_json_string(out, to_string(target.name));
  out += R"(,"time":")";
  append_iso_timestamp(out, transaction.committed_at, Zone::utc);
  out += R"(","datacontenttype":"application/json","data":)";
  writer_of(target).append_row(out, batch, row, transaction, written_at);
  return out + '}';
}

Result<std::string> JsonEncoder::truncate(const std::string&, const TableTarget& target,
                                          WallMicros written_at) {
  std::string envelope;
  writer_of(target).append_truncate(envelope, written_at);
  if (format_ != Format::cloudevents) return envelope;
  std::string out = R"({"specversion":"1.0","id":)";
  // A truncate has no operation id; the time tells one from the next.
  append_json_string(out, fmt::format("truncate/{}/{}", to_string(target.name), written_at));
  out += R"(,"source":)";
  append_json_string(out, "/maia/" + pipeline_);
  out += R"(,"type":"maia.table.truncated","subject":)";
  append_json_string(out, to_string(target.name));
  return out + R"(,"datacontenttype":"application/json","data":)" + envelope + "}";
}

}  // namespace maia::kafka
