// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <simdjson.h>

#include "maia/app/commands.h"
#include "maia/app/control.h"
#include "maia/app/running_pipelines.h"
#include "maia/app/text_table.h"

namespace maia::app {
namespace {

using Element = simdjson::dom::element;

std::string text(Element object, const char* key) { return std::string(std::string_view(object[key])); }

std::string utc(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

/// What holds a destination back, in words; "" for nothing worth a word.
std::string waits(Element destination) {
  constexpr std::int64_t kWorthAWord = 1'000;
  std::string words;
  const auto add = [&](const char* stage, const char* what) {
    const auto waited = std::int64_t(destination[stage]["waited_ms"]);
    if (waited < kWorthAWord) return;
    words += fmt::format("{}{} s {}", words.empty() ? "" : ", ", waited / 1000, what);
  };
  add("delivery", "for the destination to write");
  add("copy", "for room to copy");
  return words;
}

void show_destination(Element destination, std::ostream& out) {
  out << fmt::format("  -> {}: {}, lag {} ms, at {}\n", text(destination, "name"), text(destination, "state"),
                     std::int64_t(destination["lag_ms"]), text(destination, "position"));
  if (const auto error = text(destination, "last_error"); !error.empty()) {
    out << "     " << error << "\n     " << text(destination, "hint") << '\n';
  }
  for (const Element table : simdjson::dom::array(destination["tables"])) {
    const auto reason = text(table, "reason");
    const auto since = std::int64_t(table["since"]);
    if (reason.empty() && since == 0) continue;
    out << fmt::format("     {} is {} since {}", text(table, "source"), text(table, "state"), utc(since));
    if (const auto held = text(table, "held_after"); !held.empty()) out << ", held at " << held;
    out << '\n';
    if (!reason.empty()) out << "       " << reason << "\n       " << text(table, "hint") << '\n';
  }
  if (const auto words = waits(destination); !words.empty()) out << "     waited " << words << '\n';
  std::vector<std::vector<std::string>> rows{{"table", "to", "state", "lag", "snapshot rows", "changes",
                                              "schema changes", "last schema change", "dead letters"}};
  for (const Element table : simdjson::dom::array(destination["tables"])) {
    const auto number = [&](const char* key) {
      const auto n = std::uint64_t(table[key]);
      return n == 0 ? std::string() : std::to_string(n);
    };
    std::int64_t lag = 0;
    const bool known = table["lag_ms"].get(lag) == simdjson::SUCCESS;
    rows.push_back({text(table, "source"), text(table, "target"), text(table, "state"),
                    known ? fmt::format("{} ms", lag) : "", number("snapshot_rows"), number("changes"),
                    number("schema_changes"), text(table, "last_schema_change"),
                    number("dead_letters_waiting")});
  }
  print_table(out, rows, 5);
}

void show(const std::string& json, std::ostream& out) {
  simdjson::dom::parser parser;
  const Element status = parser.parse(json);
  out << fmt::format("{}: {}, captured {} changes up to {}\n", text(status, "pipeline"),
                     text(status, "capture"), std::uint64_t(status["captured_changes"]),
                     text(status, "captured"));
  if (const auto error = text(status, "capture_error"); !error.empty()) out << "  " << error << '\n';
  if (const auto hint = text(status, "capture_hint"); !hint.empty()) out << "  " << hint << '\n';
  if (const auto notice = text(status, "notice"); !notice.empty()) out << "  " << notice << '\n';
  for (const Element destination : simdjson::dom::array(status["destinations"]))
    show_destination(destination, out);
}

}  // namespace

Result<ExitCode> execute(const StatusArguments& arguments, Outside& outside) {
  const auto running = MAIA_TRY(running_pipelines(arguments.state, arguments.pipeline, outside));
  if (arguments.json) outside.out << '[';
  if (!arguments.json && running.empty()) outside.out << "no pipeline is running\n";
  for (std::size_t i = 0; i < running.size(); ++i) {
    const auto json = MAIA_TRY(ask_status(running[i]));
    if (arguments.json) {
      outside.out << (i == 0 ? "" : ",\n") << json;
      continue;
    }
    try {
      show(json, outside.out);
    } catch (const simdjson::simdjson_error& error) {
      return Error{Error::Code::internal, Recovery::halt,
                   std::string("the running maia answered strangely: ") + error.what(),
                   "both must be the same version"};
    }
  }
  if (arguments.json) outside.out << "]\n";
  return ExitCode::done;
}

}  // namespace maia::app
