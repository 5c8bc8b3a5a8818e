// SPDX-License-Identifier: Apache-2.0
#include "maia/app/control.h"

#include <simdjson.h>

#include "maia/app/pipeline_metrics.h"
#include "maia/app/status_json.h"
#include "maia/config/json.h"
#include "maia/server/http_client.h"

namespace maia::app {
namespace {

using config::Node;
using config::Object;
using server::Request;
using server::Response;
using Element = simdjson::dom::element;

constexpr std::chrono::milliseconds kAnswer{5'000};
constexpr std::chrono::minutes kWork{10};

Node cells(const std::vector<std::optional<std::string>>& row) {
  Node::Sequence out;
  for (const auto& cell : row) out.push_back(cell ? Node::text(*cell) : Node{});
  return Node{std::move(out), {}};
}

Response json(const Node& node) { return Response{.status = 200, .body = to_json(node)}; }

Response failure(const Error& error) {
  return Response{.status = error.code == Error::Code::unavailable ? 503u : 400u,
                  .body = to_json(Object().set("error", error.message).set("hint", error.hint).node())};
}

Result<QueryRequest> query_request(const std::string& body) {
  try {
    simdjson::dom::parser parser;
    const Element request = parser.parse(body);
    QueryRequest out;
    out.sql = std::string(std::string_view(request["sql"]));
    out.destination = std::string(std::string_view(request["destination"]));
    out.limits.rows = std::uint64_t(request["rows"]);
    out.limits.timeout_ms = static_cast<std::uint32_t>(std::uint64_t(request["timeout_ms"]));
    return out;
  } catch (const simdjson::simdjson_error& error) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 std::string("the request is not understood: ") + error.what(),
                 "send {\"sql\", \"destination\", \"rows\", \"timeout_ms\"}"};
  }
}

Response answer_query(PipelineService& service, const Request& request) {
  const auto query = query_request(request.body);
  if (!query.ok()) return failure(query.error());
  const auto result = service.query(query->destination, query->sql, query->limits);
  if (!result.ok()) return failure(result.error());
  Node::Sequence rows;
  for (const auto& row : result->rows) rows.push_back(cells(row));
  return json(Object()
                  .set("columns", config::text_list(result->columns))
                  .set("types", config::text_list(result->types))
                  .set("rows", Node{std::move(rows), {}})
                  .set("truncated", result->truncated)
                  .node());
}

bool ready(const engine::PipelineStatus& status) {
  if (status.capture != "streaming") return false;
  for (const auto& destination : status.destinations) {
    if (destination.state != "streaming" && destination.state != "snapshot") return false;
  }
  return !status.destinations.empty();
}

Response answer_letter_request(PipelineService& service, const Request& request) {
  const auto asked = letter_request_from_json(request.body);
  if (!asked.ok()) return failure(asked.error());
  const auto answer = service.letters(*asked);
  return answer.ok() ? json(*answer) : failure(answer.error());
}

Response answer_control(PipelineService& service, const Request& request) {
  const auto asked = control_request_from_json(request.body);
  if (!asked.ok()) return failure(asked.error());
  const auto answer = service.control(*asked);
  return answer.ok() ? json(Object().set("answer", *answer).node()) : failure(answer.error());
}

Response answer_replay(PipelineService& service, const Request& request) {
  const auto asked = history_request_from_json(request.body);
  if (!asked.ok()) return failure(asked.error());
  const auto answer = service.send_again(*asked);
  return answer.ok() ? json(Object().set("answer", *answer).node()) : failure(answer.error());
}

Response answer_rollback(PipelineService& service, const Request& request) {
  const auto asked = history_request_from_json(request.body);
  if (!asked.ok()) return failure(asked.error());
  const auto answer = service.rollback(*asked);
  return answer.ok() ? json(*answer) : failure(answer.error());
}

std::vector<std::string> texts(Element list) {
  std::vector<std::string> out;
  for (const Element each : simdjson::dom::array(list)) out.emplace_back(std::string_view(each));
  return out;
}

Result<Response> ask(const std::string& directory, const Request& request, std::chrono::milliseconds limit) {
  auto response = server::request_over_socket(control_socket(directory), request, limit);
  if (!response.ok() && response.error().code == Error::Code::unavailable) {
    return Error{Error::Code::unavailable, Recovery::halt, "the pipeline is not running",
                 "start it with maia run"};
  }
  return response;
}

/// The error that the running pipeline answered with.
Error refusal(const std::string& body) {
  simdjson::dom::parser parser;
  Element answer;
  std::string_view error;
  std::string_view hint;
  const bool understood = parser.parse(body).get(answer) == simdjson::SUCCESS &&
                          answer["error"].get(error) == simdjson::SUCCESS &&
                          answer["hint"].get(hint) == simdjson::SUCCESS;
  if (understood)
    return Error{Error::Code::invalid_config, Recovery::halt, std::string(error), std::string(hint)};
  return Error{Error::Code::internal, Recovery::halt, "the running maia answered strangely",
               "both must be the same version"};
}

Result<Destination::QueryResult> query_result(const std::string& body, bool ok) {
  try {
    simdjson::dom::parser parser;
    const Element answer = parser.parse(body);
    if (!ok) {
      return Error{Error::Code::data, Recovery::halt, std::string(std::string_view(answer["error"])),
                   std::string(std::string_view(answer["hint"]))};
    }
    Destination::QueryResult result;
    result.columns = texts(answer["columns"]);
    result.types = texts(answer["types"]);
    result.truncated = bool(answer["truncated"]);
    for (const Element row : simdjson::dom::array(answer["rows"])) {
      auto& cells = result.rows.emplace_back();
      for (const Element cell : simdjson::dom::array(row)) {
        cells.push_back(cell.is_null() ? std::nullopt : std::optional<std::string>(std::string_view(cell)));
      }
    }
    return result;
  } catch (const simdjson::simdjson_error& error) {
    return Error{Error::Code::internal, Recovery::halt,
                 std::string("the running maia answered strangely: ") + error.what(),
                 "both must be the same version"};
  }
}

}  // namespace

std::string control_socket(const std::string& pipeline_directory) {
  return pipeline_directory + "/control.sock";
}

std::string letter_file(const std::string& pipeline_directory) { return pipeline_directory + "/maia.sqlite"; }

server::Routes control_routes(PipelineService& service) {
  server::Routes routes;
  routes.add("GET", "/status", [&service](const Request&) { return json(status_node(service.status())); });
  routes.add("POST", "/query", [&service](const Request& request) { return answer_query(service, request); });
  routes.add("POST", "/control",
             [&service](const Request& request) { return answer_control(service, request); });
  routes.add("POST", "/replay",
             [&service](const Request& request) { return answer_replay(service, request); });
  routes.add("POST", "/rollback",
             [&service](const Request& request) { return answer_rollback(service, request); });
  routes.add("POST", "/letters",
             [&service](const Request& request) { return answer_letter_request(service, request); });
  return routes;
}

server::Routes public_routes(const std::vector<PipelineService*>& services, observe::Registry& registry) {
  registry.on_exposition([&registry, services] {
    for (auto* service : services) publish(registry, service->status());
  });
  server::Routes routes;
  routes.add("GET", "/metrics", [&registry](const Request&) {
    return Response{
        .status = 200, .content_type = std::string(observe::kExpositionType), .body = registry.exposition()};
  });
  routes.add("GET", "/livez", [](const Request&) { return json(Object().set("alive", true).node()); });
  routes.add("GET", "/readyz", [services](const Request&) {
    for (auto* service : services) {
      if (!ready(service->status())) {
        return Response{.status = 503, .body = to_json(Object().set("waiting_for", service->name()).node())};
      }
    }
    return json(Object().set("ready", true).node());
  });
  routes.add("GET", "/api/v1/status", [services](const Request&) {
    Node::Sequence all;
    for (auto* service : services) all.push_back(status_node(service->status()));
    return json(Node{std::move(all), {}});
  });
  return routes;
}

Result<std::string> ask_status(const std::string& pipeline_directory) {
  return MAIA_TRY(ask(pipeline_directory, Request{.path = "/status"}, kAnswer)).body;
}

Result<Destination::QueryResult> ask_query(const std::string& pipeline_directory,
                                           const QueryRequest& request) {
  const Request http{.method = "POST",
                     .path = "/query",
                     .body = to_json(Object()
                                         .set("sql", request.sql)
                                         .set("destination", request.destination)
                                         .set("rows", request.limits.rows)
                                         .set("timeout_ms", std::uint64_t{request.limits.timeout_ms})
                                         .node())};
  const auto limit = std::chrono::milliseconds(request.limits.timeout_ms) + kAnswer;
  const auto response = MAIA_TRY(ask(pipeline_directory, http, limit));
  return query_result(response.body, response.status == 200);
}

Result<std::string> ask_control(const std::string& pipeline_directory, const ControlRequest& request) {
  const Request http{.method = "POST", .path = "/control", .body = to_json(request)};
  const auto response = MAIA_TRY(ask(pipeline_directory, http, kWork));
  if (response.status != 200) return refusal(response.body);
  simdjson::dom::parser parser;
  Element answer;
  std::string_view text;
  if (parser.parse(response.body).get(answer) == simdjson::SUCCESS &&
      answer["answer"].get(text) == simdjson::SUCCESS) {
    return std::string(text);
  }
  return Error{Error::Code::internal, Recovery::halt, "the running maia answered strangely",
               "both must be the same version"};
}

namespace {

/// The body of the answer, or the error that it tells.
Result<std::string> ask_work(const std::string& directory, const std::string& path, std::string body) {
  const Request http{.method = "POST", .path = path, .body = std::move(body)};
  const auto response = MAIA_TRY(ask(directory, http, kWork));
  if (response.status == 200) return response.body;
  return refusal(response.body);
}

}  // namespace

Result<std::string> ask_replay(const std::string& pipeline_directory, const HistoryRequest& request) {
  return ask_work(pipeline_directory, "/replay", to_json(request));
}

Result<std::string> ask_rollback(const std::string& pipeline_directory, const HistoryRequest& request) {
  return ask_work(pipeline_directory, "/rollback", to_json(request));
}

Result<std::string> ask_letters(const std::string& pipeline_directory, const LetterRequest& request) {
  return ask_work(pipeline_directory, "/letters", to_json(request));
}

}  // namespace maia::app
