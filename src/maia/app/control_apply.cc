// SPDX-License-Identifier: Apache-2.0
#include "maia/app/control_apply.h"

#include <simdjson.h>

#include "maia/app/connectors.h"
#include "maia/app/control.h"
#include "maia/config/json.h"
#include "maia/config/pipeline_file.h"
#include "maia/server/http_client.h"

namespace maia::app {
namespace {

using config::Node;
using config::Object;
using server::Request;
using server::Response;
using Element = simdjson::dom::element;

/// Opening both ends again may take as long as they like to answer.
constexpr std::chrono::minutes kTakeUp{5};

struct ApplyRequest {
  std::string path, text;
  std::vector<Refit> refits;
};

std::string text_of(Element object, const char* key) { return std::string(std::string_view(object[key])); }

Result<ApplyRequest> apply_request(const std::string& body) {
  try {
    simdjson::dom::parser parser;
    const Element request = parser.parse(body);
    ApplyRequest out{text_of(request, "path"), text_of(request, "text"), {}};
    for (const Element each : simdjson::dom::array(request["refits"])) {
      out.refits.push_back({.destination = text_of(each, "destination"),
                            .table = text_of(each, "table"),
                            .reread = bool(each["reread"])});
    }
    return out;
  } catch (const simdjson::simdjson_error& error) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 std::string("the request is not understood: ") + error.what(),
                 "send {\"path\", \"text\", \"refits\"}"};
  }
}

Result<std::string> take_up(PipelineService& service, const Outside& outside, const std::string& body) {
  auto request = MAIA_TRY(apply_request(body));
  const auto file = MAIA_TRY(config::parse_pipeline_file(
      std::move(request.text), request.path, connector_settings(outside.connectors), outside.environment));
  for (const auto& pipeline : file.pipelines) {
    if (pipeline.name == service.name()) return service.apply(pipeline, request.refits);
  }
  return Error{Error::Code::invalid_config, Recovery::halt,
               "the file has no pipeline named " + service.name(), ""};
}

Node json_of(const std::vector<Refit>& refits) {
  Node::Sequence out;
  for (const auto& each : refits) {
    out.push_back(Object()
                      .set("destination", each.destination)
                      .set("table", each.table)
                      .set("reread", each.reread)
                      .node());
  }
  return Node{std::move(out), {}};
}

Result<std::string> words_of(const std::string& body, bool ok) {
  try {
    simdjson::dom::parser parser;
    const Element answer = parser.parse(body);
    if (ok) return text_of(answer, "done");
    return Error{Error::Code::check_failed, Recovery::halt, text_of(answer, "error"),
                 text_of(answer, "hint")};
  } catch (const simdjson::simdjson_error& error) {
    return Error{Error::Code::internal, Recovery::halt,
                 std::string("the running maia answered strangely: ") + error.what(),
                 "both must be the same version"};
  }
}

}  // namespace

void add_apply_route(server::Routes& routes, PipelineService& service, const Outside& outside) {
  routes.add("POST", "/apply", [&service, &outside](const Request& request) {
    const auto done = take_up(service, outside, request.body);
    if (done.ok()) return Response{.status = 200, .body = to_json(Object().set("done", *done).node())};
    return Response{
        .status = 409,
        .body = to_json(Object().set("error", done.error().message).set("hint", done.error().hint).node())};
  });
}

Result<std::string> ask_apply(const std::string& pipeline_directory, const config::FileText& file,
                              const std::vector<Refit>& refits) {
  const Request request{
      .method = "POST",
      .path = "/apply",
      .body = to_json(
          Object().set("path", file.path).set("text", file.text).set("refits", json_of(refits)).node())};
  const auto response =
      MAIA_TRY(server::request_over_socket(control_socket(pipeline_directory), request, kTakeUp));
  return words_of(response.body, response.status == 200);
}

}  // namespace maia::app
