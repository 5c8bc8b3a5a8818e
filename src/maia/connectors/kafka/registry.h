// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/base/secret.h"
#include "maia/config/spec.h"

namespace maia::kafka {

/// A schema registry with the REST interface that Confluent's has.
struct RegistryConfig {
  std::string url;
  std::string user;
  Secret password;
  std::string tls_ca_file;
};

const config::Spec<RegistryConfig>& registry_spec();

enum class SchemaKind : std::uint8_t { avro, protobuf, json };

/// Under what name schemas of one kind follow each other.
struct SchemaSubject {
  std::string name;
  SchemaKind kind = SchemaKind::avro;
};

/// Gives the schema its number, under a subject; the same one each time. Certificates are verified where the
/// URL is https.
Result<std::int32_t> register_schema(const RegistryConfig& config, const SchemaSubject& subject,
                                     const std::string& schema, std::chrono::milliseconds timeout);

/// The text of a subject's last version; nothing if it has none.
Result<std::optional<std::string>> latest_schema(const RegistryConfig& config, const SchemaSubject& subject,
                                                 std::chrono::milliseconds timeout);

struct RegisteredSchema {
  SchemaKind kind = SchemaKind::avro;
  std::string text;
  /// Texts of all schemas that it refers to, each behind those that it refers to itself.
  std::vector<std::string> imports = {};
};

/// The schema with this number.
Result<RegisteredSchema> schema_by_id(const RegistryConfig& config, std::int32_t id,
                                      std::chrono::milliseconds timeout);

/// What a record begins with that was encoded with this schema: a zero, and the number with its highest byte
/// first.
std::string schema_mark(std::int32_t id);

}  // namespace maia::kafka
