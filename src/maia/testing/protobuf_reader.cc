// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/protobuf_reader.h"

#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <vector>

namespace maia::testing {
namespace {

namespace pb = google::protobuf;

class NoErrors final : public pb::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string&) override {}
};
class NoPoolErrors final : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string&, const std::string&, const pb::Message*, ErrorLocation,
                const std::string&) override {}
};

const pb::FileDescriptor* build(pb::DescriptorPool& pool, const std::string& text) {
  pb::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  NoErrors errors;
  pb::io::Tokenizer tokenizer(&input, &errors);
  pb::compiler::Parser parser;
  parser.RecordErrorsTo(&errors);
  pb::FileDescriptorProto file;
  if (!parser.Parse(&tokenizer, &file)) return nullptr;
  file.set_name("record.proto");
  NoPoolErrors refused;
  return pool.BuildFileCollectingErrors(file, &refused);
}

void list_fields(const pb::Descriptor& message, ProtobufSchema& schema) {
  for (int i = 0; i < message.field_count(); ++i) {
    const auto* field = message.field(i);
    schema.fields[{message.full_name(), field->number()}] =
        std::string(field->type_name()) + " " + field->name();
  }
  for (int i = 0; i < message.nested_type_count(); ++i) list_fields(*message.nested_type(i), schema);
}

bool has_unknown(const pb::Message& message) {
  const auto& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) return true;
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->message_type() && has_unknown(reflection.GetMessage(message, field))) return true;
  }
  return false;
}

}  // namespace

std::optional<ProtobufSchema> read_protobuf_schema(const std::string& text) {
  pb::DescriptorPool pool;
  const auto* file = build(pool, text);
  if (!file || file->message_type_count() == 0) return std::nullopt;
  ProtobufSchema schema{.text = file->DebugString(), .fields = {}};
  for (int i = 0; i < file->message_type_count(); ++i) list_fields(*file->message_type(i), schema);
  return schema;
}

Result<std::string> protobuf_as_json(const std::string& schema, std::string_view bytes) {
  const auto broken = [](const char* why) { return Error{Error::Code::corruption, Recovery::halt, why}; };
  pb::DescriptorPool pool;
  const auto* file = build(pool, schema);
  if (!file) return broken("no schema of Protocol Buffers");
  pb::DynamicMessageFactory factory(&pool);
  const std::unique_ptr<pb::Message> message(factory.GetPrototype(file->message_type(0))->New());
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return broken("no message");
  if (has_unknown(*message)) return broken("a field that the schema has not");
  std::string json;
  if (!pb::util::MessageToJsonString(*message, &json).ok()) return broken("a text that is no UTF-8");
  return json;
}

}  // namespace maia::testing
