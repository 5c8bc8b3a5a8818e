// SPDX-License-Identifier: Apache-2.0
#include "maia/app/declarations.h"
#include "maia/config/scalar.h"

namespace maia::app {
namespace {

std::optional<std::chrono::milliseconds> parse_timeout(const std::string& text) {
  const auto duration = config::parse_duration(text);
  if (!duration || duration->count() == 0) return std::nullopt;
  return std::chrono::ceil<std::chrono::milliseconds>(*duration);
}

void declare_query(CommandSet& commands) {
  auto& query =
      commands.add<QueryArguments>("query", "Run read-only SQL at the destination of a running pipeline.");
  auto& to = query.arguments;
  query.argument("SQL", to.sql, "One statement.")->required();
  query.option("--pipeline", to.pipeline, "NAME", "Which pipeline, if several run.");
  query.option("--destination", to.destination, "NAME", "Which destination, if it has several.");
  query.format(to.format);
  query.json_format(to.format);
  query.option("--rows", to.rows, "", "Most rows to answer with.")->capture_default_str();
  query
      .parsed<std::chrono::milliseconds>("--timeout", to.timeout, "DURATION",
                                         "Longest time that it may take.", parse_timeout, "a duration", "30s")
      ->default_str("30s");
  query.state(to.state);
}

void place(Command& command, ControlPlace& to) {
  command.option("--pipeline", to.pipeline, "NAME", "Which pipeline, if several run.");
  command.option("--destination", to.destination, "NAME", "Only this destination.");
}

/// pause and resume
template <class Arguments>
void declare_rest(CommandSet& commands, const std::string& name, const std::string& doc) {
  auto& command = commands.add<Arguments>(name, doc);
  auto& to = command.arguments;
  place(command, to.place);
  command.option("--table", to.place.table, "TABLE", "Only this table of the source; '*' is each of them.");
  command.state(to.state);
  command.json(to.json);
}

void declare_resync(CommandSet& commands) {
  auto& resync = commands.add<ResyncArguments>(
      "resync", "Read rows of a table again and mend what differs at the destination.");
  auto& to = resync.arguments;
  resync.argument("TABLE", to.place.table, "Table of the source; '*' is each of them.")->required();
  resync.option("--rows", to.rows, "CONDITION",
                "Only these: comparisons of key columns, such as \"id >= 10 and id < 20\".");
  place(resync, to.place);
  resync.state(to.state);
  resync.json(to.json);
}

}  // namespace

void declare_operating(CommandSet& commands) {
  auto& status = commands.add<StatusArguments>("status", "Show what running pipelines do.");
  status.argument("PIPELINE", status.arguments.pipeline, "Only this one.");
  status.state(status.arguments.state);
  status.json(status.arguments.json);

  declare_query(commands);
  declare_rest<PauseArguments>(
      commands, "pause",
      "Let a pipeline's destinations, one of them, or a table rest; the journal keeps what comes.");
  declare_rest<ResumeArguments>(commands, "resume",
                                "Take up again what is paused, quarantined or failed; nothing is lost.");
  declare_resync(commands);
}

}  // namespace maia::app
