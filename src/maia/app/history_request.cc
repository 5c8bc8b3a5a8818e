// SPDX-License-Identifier: Apache-2.0
#include "maia/app/history_request.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <sstream>

#include "maia/app/text_table.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

using config::Node;
using config::Object;
using Element = simdjson::dom::element;

Error strange(const std::exception& error) {
  return Error{Error::Code::internal, Recovery::halt,
               std::string("the running maia answered strangely: ") + error.what(),
               "both must be the same version"};
}

std::string text(Element object, std::string_view key) { return std::string(std::string_view(object[key])); }

/// What cannot be taken back of a table, and why; empty if all can.
std::string shortfall(Element table) {
  if (auto refused = text(table, "refused"); !refused.empty()) return refused;
  const auto lost = std::uint64_t(table["lost"]);
  if (lost == 0) return "";
  return fmt::format(
      "{} row{} whose earlier values nothing retained has (REPLICA IDENTITY FULL keeps them), "
      "such as {}",
      lost, lost == 1 ? "" : "s", text(table, "lost_example"));
}

}  // namespace

std::string to_json(const HistoryRequest& request) {
  return config::to_json(Object()
                             .set("at", request.at)
                             .set("table", request.table)
                             .set("destination", request.destination)
                             .set("apply", request.apply)
                             .set("partial", request.partial)
                             .node());
}

Result<HistoryRequest> history_request_from_json(const std::string& json) {
  try {
    simdjson::dom::parser parser;
    const Element in = parser.parse(json);
    return HistoryRequest{.at = text(in, "at"),
                          .table = text(in, "table"),
                          .destination = text(in, "destination"),
                          .apply = bool(in["apply"]),
                          .partial = bool(in["partial"])};
  } catch (const simdjson::simdjson_error& error) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 std::string("the request is not understood: ") + error.what(),
                 R"(send {"at", "table", "destination", "apply", "partial"})"};
  }
}

Result<std::string> answer_in_words(const std::string& json) {
  try {
    simdjson::dom::parser parser;
    return text(parser.parse(json), "answer");
  } catch (const simdjson::simdjson_error& error) {
    return strange(error);
  }
}

Node rollback_node(const std::vector<engine::Rollback>& rollbacks) {
  Node::Sequence all;
  for (const auto& rollback : rollbacks) {
    Node::Sequence tables;
    for (const auto& table : rollback.tables) {
      tables.push_back(Object()
                           .set("table", table.table)
                           .set("inserts", table.counts.inserts)
                           .set("updates", table.counts.updates)
                           .set("deletes", table.counts.deletes)
                           .set("lost", table.counts.lost)
                           .set("lost_example", table.counts.lost_example)
                           .set("refused", table.refused)
                           .node());
    }
    all.push_back(Object()
                      .set("destination", rollback.destination)
                      .set("position", rollback.position)
                      .set("tables", Node{std::move(tables), {}})
                      .node());
  }
  return Object().set("destinations", Node{std::move(all), {}}).node();
}

Result<std::string> rollback_in_words(const std::string& json) {
  try {
    simdjson::dom::parser parser;
    const Element answer = parser.parse(json);
    std::ostringstream out;
    for (const Element destination : simdjson::dom::array(answer["destinations"])) {
      out << fmt::format("{}, back to {}:\n", text(destination, "destination"),
                         text(destination, "position"));
      std::vector<std::vector<std::string>> rows{
          {"table", "insert", "update", "delete", "cannot be taken back"}};
      for (const Element table : simdjson::dom::array(destination["tables"])) {
        const auto number = [&](const char* key) { return std::to_string(std::uint64_t(table[key])); };
        rows.push_back({text(table, "table"), number("inserts"), number("updates"), number("deletes"),
                        shortfall(table)});
      }
      print_table(out, rows, 2);
    }
    return out.str();
  } catch (const simdjson::simdjson_error& error) {
    return strange(error);
  }
}

Result<bool> takes_all_back(const std::string& json) {
  try {
    simdjson::dom::parser parser;
    const Element answer = parser.parse(json);
    for (const Element destination : simdjson::dom::array(answer["destinations"])) {
      for (const Element table : simdjson::dom::array(destination["tables"])) {
        if (!shortfall(table).empty()) return false;
      }
    }
    return true;
  } catch (const simdjson::simdjson_error& error) {
    return strange(error);
  }
}

}  // namespace maia::app
