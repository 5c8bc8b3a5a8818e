// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/schema_registry.h"

#include <arpa/inet.h>
#include <avro.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "maia/base/json_text.h"

namespace maia::testing {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j > text.size() ? '=' : kAlphabet[group >> (18 - 6 * j) & 63];
  }
  return out;
}

std::string response(int status, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {} X\r\nContent-Type: application/vnd.schemaregistry.v1+json\r\nContent-Length: {}\r\n"
      "Connection: close\r\n\r\n{}",
      status, body.size(), body);
}

std::string refusal(int status, int code, std::string_view message) {
  return response(status, fmt::format(R"({{"error_code":{},"message":"{}"}})", code, message));
}

/// Nothing where it is no schema.
avro_schema_t parse_schema(const std::string& text) {
  avro_schema_t schema = nullptr;
  return avro_schema_from_json_length(text.data(), text.size(), &schema) == 0 ? schema : nullptr;
}

/// One request with its whole body; what has arrived when the other side ends.
std::string receive(int peer) {
  std::string request;
  char buffer[4096];
  std::size_t whole = std::string::npos;
  while (request.size() < whole) {
    const auto got = recv(peer, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    request.append(buffer, static_cast<std::size_t>(got));
    const auto head = request.find("\r\n\r\n");
    const auto length = request.find("Content-Length: ");
    if (head == request.npos) continue;
    whole = head + 4;
    if (length < head) whole += std::strtoull(request.c_str() + length + 16, nullptr, 10);
  }
  return request;
}

}  // namespace

SchemaRegistry::SchemaRegistry() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* place = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (bind(socket_, place, size) != 0 || listen(socket_, 8) != 0 || getsockname(socket_, place, &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this] { serve(); });
}

SchemaRegistry::~SchemaRegistry() {
  stopping_ = true;
  shutdown(socket_, SHUT_RDWR);
  thread_.join();
  close(socket_);
}

void SchemaRegistry::require(std::string credentials) {
  const std::lock_guard lock(mutex_);
  credentials_ = std::move(credentials);
}

void SchemaRegistry::freeze() {
  const std::lock_guard lock(mutex_);
  frozen_ = true;
}

std::size_t SchemaRegistry::hold(const std::string& subject, const std::string& kind, const std::string& text,
                                 const std::string& references) {
  const std::lock_guard lock(mutex_);
  schemas_.push_back({kind, text, references});
  subjects_[subject].push_back(schemas_.size());
  return schemas_.size();
}

std::vector<std::string> SchemaRegistry::subjects() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, versions] : subjects_) names.push_back(name);
  return names;
}

void SchemaRegistry::serve() {
  while (!stopping_) {
    const int peer = accept(socket_, nullptr, nullptr);
    if (peer < 0) continue;
    const auto bytes = answer(receive(peer));
    for (std::size_t sent = 0; sent < bytes.size();) {
      const auto count = send(peer, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    close(peer);
  }
}

std::string SchemaRegistry::answer(const std::string& request) {
  const std::lock_guard lock(mutex_);
  const auto line = request.substr(0, request.find("\r\n"));
  const auto between = [&](std::string_view begin, std::string_view end) {
    return line.starts_with(begin) && line.ends_with(end) && line.size() >= begin.size() + end.size()
               ? std::optional(line.substr(begin.size(), line.size() - begin.size() - end.size()))
               : std::nullopt;
  };
  const auto posted = between("POST /subjects/", "/versions HTTP/1.1");
  const auto asked = between("GET /subjects/", "/versions/latest HTTP/1.1");
  const auto number = between("GET /schemas/ids/", " HTTP/1.1");
  const auto one = between("GET /subjects/", " HTTP/1.1");
  const auto body = request.find("\r\n\r\n");
  if ((!posted && !one && !number) || body == request.npos) return refusal(404, 404, "HTTP 404 Not Found");
  if (!credentials_.empty() &&
      request.find("Authorization: Basic " + base64(credentials_) + "\r\n") == request.npos) {
    return refusal(401, 40101, "Unauthorized");
  }
  if (asked) return latest(*asked);
  if (one) {
    constexpr std::string_view kVersions = "/versions/";
    const auto versions = std::min(one->find(kVersions), one->size());
    auto subject = one->substr(0, versions);
    for (auto at = subject.find("%2F"); at != subject.npos; at = subject.find("%2F"))
      subject.replace(at, 3, "/");
    const auto version_number = versions < one->size() ? one->substr(versions + kVersions.size()) : "";
    return version(subject, std::strtoull(version_number.c_str(), nullptr, 10));
  }
  if (number) return numbered(std::strtoull(number->c_str(), nullptr, 10));
  if (request.find("Content-Type: application/vnd.schemaregistry.v1+json\r\n") == request.npos) {
    return refusal(415, 415, "HTTP 415 Unsupported Media Type");
  }
  simdjson::dom::parser parser;
  simdjson::dom::element content;
  std::string_view schema;
  std::string_view kind;
  if (parser.parse(request.substr(body + 4)).get(content) != simdjson::SUCCESS ||
      content["schema"].get(schema) != simdjson::SUCCESS) {
    return refusal(422, 42201, "Invalid schema");
  }
  if (content["schemaType"].get(kind) != simdjson::SUCCESS) kind = "AVRO";
  return registered(*posted, {.kind = std::string(kind), .text = std::string(schema)});
}

std::string SchemaRegistry::registered(const std::string& subject, const Schema& schema) {
  auto* const parsed = schema.kind == "AVRO" ? parse_schema(schema.text) : nullptr;
  if (!parsed && !protobuf_of(schema)) {
    return refusal(422, 42201, "Invalid schema");
  }
  if (parsed) avro_schema_decref(parsed);
  auto found = std::find(schemas_.begin(), schemas_.end(), schema);
  const auto id = static_cast<std::size_t>(found - schemas_.begin()) + 1;
  auto& versions = subjects_[subject];
  if (std::find(versions.begin(), versions.end(), id) == versions.end()) {
    if ((frozen_ && !versions.empty()) || !keeps_numbers(subject, schema)) {
      return refusal(409, 409, "Schema being registered is incompatible");
    }
    versions.push_back(id);
  }
  if (found == schemas_.end()) schemas_.push_back(schema);
  return response(200, fmt::format(R"({{"id":{}}})", id));
}

std::optional<ProtobufSchema> SchemaRegistry::protobuf_of(const Schema& schema) {
  return schema.kind == "PROTOBUF" ? read_protobuf_schema(schema.text) : std::nullopt;
}

bool SchemaRegistry::keeps_numbers(const std::string& subject, const Schema& schema) const {
  const auto now = protobuf_of(schema);
  for (const auto id : subjects_.at(subject)) {
    const auto& known = schemas_[id - 1];
    if (known.kind != schema.kind) return false;
    const auto before = protobuf_of(known);
    if (!now || !before) continue;
    for (const auto& [place, field] : now->fields) {
      const auto old = before->fields.find(place);
      if (old != before->fields.end() && old->second != field) return false;
    }
  }
  return true;
}

std::string SchemaRegistry::latest(const std::string& subject) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end() || found->second.empty()) return refusal(404, 40401, "Subject not found.");
  const auto id = found->second.back();
  const auto& schema = schemas_[id - 1];
  const auto protobuf = protobuf_of(schema);
  std::string body = fmt::format(R"({{"version":{},"id":{},{}"schema":)", found->second.size(), id,
                                 protobuf ? R"("schemaType":"PROTOBUF",)" : "");
  append_json_string(body, protobuf ? protobuf->text : schema.text);
  return response(200, body + "}");
}

std::string SchemaRegistry::version(const std::string& subject, std::size_t number) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end() || number == 0 || number > found->second.size())
    return refusal(404, 40402, "Version not found.");
  return numbered(found->second[number - 1]);
}

std::string SchemaRegistry::numbered(std::size_t id) const {
  if (id == 0 || id > schemas_.size()) return refusal(404, 40403, "Schema not found");
  const auto& schema = schemas_[id - 1];
  const auto protobuf = protobuf_of(schema);
  std::string body = schema.kind == "AVRO" ? "{" : fmt::format(R"({{"schemaType":"{}",)", schema.kind);
  body += fmt::format(R"("references":{},"schema":)", schema.references);
  append_json_string(body, protobuf ? protobuf->text : schema.text);
  return response(200, body + "}");
}

Result<std::string> SchemaRegistry::decoded(const std::string& record) const {
  const auto broken = [](std::string why) {
    return Error{Error::Code::corruption, Recovery::halt, std::move(why)};
  };
  if (record.size() < 5 || record[0] != '\0') return broken("no mark of a schema");
  std::uint32_t id = 0;
  for (std::size_t i = 1; i < 5; ++i) id = id << 8 | static_cast<unsigned char>(record[i]);
  const std::lock_guard lock(mutex_);
  if (id == 0 || id > schemas_.size()) return broken("no schema " + std::to_string(id));
  if (schemas_[id - 1].kind == "PROTOBUF") {
    if (record.size() < 6 || record[5] != '\0') return broken("no mark of the first message");
    return protobuf_as_json(schemas_[id - 1].text, std::string_view(record).substr(6));
  }
  auto* const schema = parse_schema(schemas_[id - 1].text);
  auto* const shape = avro_generic_class_from_schema(schema);
  auto* const reader = avro_reader_memory(record.data() + 5, static_cast<std::int64_t>(record.size()) - 5);
  avro_value_t value;
  avro_generic_value_new(shape, &value);
  char* json = nullptr;
  char left = 0;
  const bool read = avro_value_read(reader, &value) == 0 && avro_read(reader, &left, 1) != 0 &&
                    avro_value_to_json(&value, 1, &json) == 0;
  const std::string text = json ? json : "";
  std::free(json);
  avro_value_decref(&value);
  avro_value_iface_decref(shape);
  avro_reader_free(reader);
  avro_schema_decref(schema);
  return read ? Result<std::string>(text)
              : Result<std::string>(broken(std::string("Avro: ") + avro_strerror()));
}

}  // namespace maia::testing
