// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/registry.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <memory>
#include <set>

#include "maia/base/json_text.h"

namespace maia::kafka {
namespace {

constexpr std::size_t kMostBytes = 1u << 20;

struct Close {
  void operator()(CURL* p) const { curl_easy_cleanup(p); }
  void operator()(curl_slist* p) const { curl_slist_free_all(p); }
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + size * count > kMostBytes) return 0;
  body.append(data, size * count);
  return size * count;
}

/// What the registry says of an error, in its own words.
std::string complaint(const std::string& body) {
  simdjson::dom::parser parser;
  std::string_view message;
  if (parser.parse(body)["message"].get(message) == simdjson::SUCCESS) {
    return std::string(message.substr(0, 500));
  }
  return body.substr(0, 200);
}

struct Answer {
  long status = 0;
  std::string body;
};

Error refused(const std::string& subject, const Answer& answer) {
  const auto status = answer.status;
  auto message =
      fmt::format("the schema registry answers {} for {}: {}", status, subject, complaint(answer.body));
  if (status == 401 || status == 403) {
    return Error{Error::Code::invalid_config, Recovery::halt, std::move(message),
                 "check `registry.user` and `registry.password`", "credentials_refused"};
  }
  if (status == 409 || status == 422) {
    return Error{Error::Code::check_failed, Recovery::halt, std::move(message),
                 "Set the subject's compatibility to BACKWARD or NONE, or send the table to another topic"};
  }
  const bool passing = status == 429 || status >= 500;
  return Error{passing ? Error::Code::unavailable : Error::Code::invalid_config,
               passing ? Recovery::reconnect : Recovery::halt, std::move(message), "check `registry.url`"};
}

/// Posts what is to be sent, or else gets.
Result<Answer> ask(const RegistryConfig& config, const std::string& path, const std::string* request,
                   std::chrono::milliseconds timeout) {
  static const auto started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, Close> curl(started == CURLE_OK ? curl_easy_init() : nullptr);
  if (!curl) return Error{Error::Code::internal, Recovery::halt, "libcurl cannot be used"};
  const auto url = fmt::format("{}/{}", config.url, path);
  Answer answer;
  const std::unique_ptr<curl_slist, Close> headers(
      curl_slist_append(nullptr, "Content-Type: application/vnd.schemaregistry.v1+json"));
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  if (request) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request->size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request->data());
  }
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  if (!config.tls_ca_file.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, config.tls_ca_file.c_str());
  if (!config.user.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_USERNAME, config.user.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PASSWORD, config.password.reveal().c_str());
  }
  if (const auto failed = curl_easy_perform(curl.get()); failed != CURLE_OK) {
    return Error{Error::Code::unavailable, Recovery::reconnect,
                 fmt::format("ask the schema registry {}: {}", config.url, curl_easy_strerror(failed)),
                 "check `registry.url`"};
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

Error no_schema(const Answer& answer) {
  return Error{Error::Code::unsupported, Recovery::halt,
               "the schema registry's answer has no schema: " + answer.body.substr(0, 200)};
}

Result<SchemaKind> kind_named(std::string_view name) {
  if (name == "AVRO") return SchemaKind::avro;
  if (name == "PROTOBUF") return SchemaKind::protobuf;
  if (name == "JSON") return SchemaKind::json;
  return Error{Error::Code::unsupported, Recovery::halt,
               fmt::format("a schema of the registry is {}; Avro, Protobuf and JSON can be read", name)};
}

std::string escaped(std::string_view text) {
  const std::unique_ptr<char, decltype(&curl_free)> out(
      curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), curl_free);
  return out.get();
}

/// Reads a schema and those that it refers to.
class References {
 public:
  References(const RegistryConfig& config, std::chrono::milliseconds timeout)
      : config_(config), timeout_(timeout) {}
  Result<std::string> read(const std::string& what, const std::string& path, SchemaKind* kind) {
    if (asked_.size() >= kMostSchemas)
      return Error{Error::Code::unsupported, Recovery::halt, what + " refers to too many others"};
    asked_.insert(path);
    const auto answer = MAIA_TRY(ask(config_, path, nullptr, timeout_));
    if (answer.status != 200) return refused(what, answer);
    simdjson::dom::parser parser;
    simdjson::dom::element content;
    std::string_view schema;
    if (parser.parse(answer.body).get(content) != simdjson::SUCCESS ||
        content["schema"].get(schema) != simdjson::SUCCESS)
      return no_schema(answer);
    std::string_view name;
    if (content["schemaType"].get(name) != simdjson::SUCCESS) name = "AVRO";
    if (kind) *kind = MAIA_TRY(kind_named(name));
    simdjson::dom::array references;
    if (content["references"].get(references) != simdjson::SUCCESS) references = {};
    for (const auto reference : references) {
      std::string_view subject;
      std::int64_t version = 0;
      if (reference["subject"].get(subject) != simdjson::SUCCESS ||
          reference["version"].get(version) != simdjson::SUCCESS)
        return no_schema(answer);
      const auto place = fmt::format("subjects/{}/versions/{}", escaped(subject), version);
      if (asked_.contains(place)) continue;
      texts_.push_back(MAIA_TRY(read(std::string(subject), place, nullptr)));
    }
    return std::string(schema);
  }
  std::vector<std::string> take() { return std::move(texts_); }

 private:
  static constexpr std::size_t kMostSchemas = 1000;
  const RegistryConfig& config_;
  const std::chrono::milliseconds timeout_;
  std::set<std::string> asked_;
  std::vector<std::string> texts_;
};

}  // namespace

const config::Spec<RegistryConfig>& registry_spec() {
  using C = RegistryConfig;
  static const auto spec =
      config::Spec<C>()
          .add("url", &C::url, "Where the schema registry is.")
          .example("https://registry.example.com")
          .add("user", &C::user, "Who asks, if the registry wants to know.")
          .add("password", &C::password, "Proof of who asks.")
          .add("tls_ca_file", &C::tls_ca_file, "Certificates to trust, in place of the system's.")
          .advanced();
  return spec;
}

Result<std::int32_t> register_schema(const RegistryConfig& config, const SchemaSubject& subject,
                                     const std::string& schema, std::chrono::milliseconds timeout) {
  std::string request = R"({"schema":)";
  append_json_string(request, schema);
  // Avro is what is meant where nothing is said, by older registries too.
  if (subject.kind == SchemaKind::protobuf) request += R"(,"schemaType":"PROTOBUF")";
  request += '}';
  const auto answer = MAIA_TRY(ask(config, "subjects/" + subject.name + "/versions", &request, timeout));
  if (answer.status != 200) return refused(subject.name, answer);
  simdjson::dom::parser parser;
  std::int64_t id = 0;
  if (parser.parse(answer.body)["id"].get(id) != simdjson::SUCCESS || id < 0 || id > INT32_MAX) {
    return Error{Error::Code::unsupported, Recovery::halt,
                 "the schema registry's answer has no id: " + answer.body};
  }
  return static_cast<std::int32_t>(id);
}

Result<std::optional<std::string>> latest_schema(const RegistryConfig& config, const SchemaSubject& subject,
                                                 std::chrono::milliseconds timeout) {
  constexpr std::int64_t kNoSubject = 40401;
  const auto answer =
      MAIA_TRY(ask(config, "subjects/" + subject.name + "/versions/latest", nullptr, timeout));
  simdjson::dom::parser parser;
  simdjson::dom::element content;
  const bool read = parser.parse(answer.body).get(content) == simdjson::SUCCESS;
  std::int64_t code = 0;
  if (answer.status == 404 && read && content["error_code"].get(code) == simdjson::SUCCESS &&
      code == kNoSubject) {
    return std::optional<std::string>();
  }
  if (answer.status != 200) return refused(subject.name, answer);
  std::string_view schema;
  std::string_view type;
  if (!read || content["schema"].get(schema) != simdjson::SUCCESS) return no_schema(answer);
  if (content["schemaType"].get(type) != simdjson::SUCCESS) type = "AVRO";
  if ((type == "PROTOBUF") != (subject.kind == SchemaKind::protobuf)) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("the schemas of {} are {}", subject.name, type),
                 "Choose that `encoding`, or send the table to another topic"};
  }
  return std::optional(std::string(schema));
}

Result<RegisteredSchema> schema_by_id(const RegistryConfig& config, std::int32_t id,
                                      std::chrono::milliseconds timeout) {
  References references(config, timeout);
  RegisteredSchema out;
  out.text =
      MAIA_TRY(references.read(fmt::format("schema {}", id), fmt::format("schemas/ids/{}", id), &out.kind));
  out.imports = references.take();
  return out;
}

std::string schema_mark(std::int32_t id) {
  const auto bits = static_cast<std::uint32_t>(id);
  return {'\0', static_cast<char>(bits >> 24), static_cast<char>(bits >> 16), static_cast<char>(bits >> 8),
          static_cast<char>(bits)};
}

}  // namespace maia::kafka
