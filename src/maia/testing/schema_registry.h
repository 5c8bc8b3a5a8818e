// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "maia/base/result.h"
#include "maia/testing/protobuf_reader.h"

namespace maia::testing {

/// Stands in for a schema registry, on a loopback port: registration of Avro and Protobuf schemas, the
/// last one of a subject and each by its number, as the public description of Confluent's REST interface has
/// it. Strict: what is no such request, has the wrong user, or holds no schema that Avro's or Protocol
/// Buffers' own library can read is refused, and also a Protobuf field whose number had another meaning in a
/// subject. Schemas of one subject need not be compatible otherwise, unless told. Protobuf schemas come back
/// as the library writes them.
class SchemaRegistry {
 public:
  SchemaRegistry();
  ~SchemaRegistry();
  SchemaRegistry(const SchemaRegistry&) = delete;
  SchemaRegistry& operator=(const SchemaRegistry&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// From now on wants this "user:password".
  void require(std::string credentials);
  /// From now on takes no second schema of a subject.
  void freeze();
  /// Holds a schema as the next version of a subject, as if somebody had registered it; its number. What it
  /// refers to is a JSON list as the interface has it. Nothing of it is checked.
  std::size_t hold(const std::string& subject, const std::string& kind, const std::string& text,
                   const std::string& references = "[]");
  std::vector<std::string> subjects() const;

  /// The value that a record encodes, as JSON by Avro's or Protocol Buffers' own library. Code::corruption if
  /// it is none, or bytes are left over.
  Result<std::string> decoded(const std::string& record) const;

 private:
  void serve();
  struct Schema {
    std::string kind;
    std::string text;
    std::string references = "[]";
    bool operator==(const Schema&) const = default;
  };
  std::string answer(const std::string& request);
  std::string registered(const std::string& subject, const Schema& schema);
  std::string latest(const std::string& subject) const;
  std::string numbered(std::size_t id) const;
  std::string version(const std::string& subject, std::size_t number) const;
  static std::optional<ProtobufSchema> protobuf_of(const Schema& schema);
  bool keeps_numbers(const std::string& subject, const Schema& schema) const;

  int socket_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;  ///< guards all that follows
  std::string credentials_;
  bool frozen_ = false;
  std::vector<Schema> schemas_;  ///< by id, from 1
  std::map<std::string, std::vector<std::size_t>> subjects_;
  std::atomic<bool> stopping_ = false;
  std::jthread thread_;
};

}  // namespace maia::testing
