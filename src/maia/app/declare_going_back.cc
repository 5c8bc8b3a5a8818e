// SPDX-License-Identifier: Apache-2.0
#include "maia/app/declarations.h"
#include "maia/config/scalar.h"

namespace maia::app {
namespace {

std::optional<std::optional<std::chrono::microseconds>> parse_age(const std::string& text) {
  const auto age = config::parse_duration(text);
  if (!age) return std::nullopt;
  return age;
}

void declare_dlq(CommandSet& commands) {
  auto& dlq =
      commands.add<DlqArguments>("dlq", "Look at dead letters, mend them, send them again or give them up.");
  auto& to = dlq.arguments;
  dlq.action("ACTION", "list, show, edit, replay or purge.", to.action,
             {"list", "show", "edit", "replay", "purge"})
      ->required();
  dlq.argument("ID", to.ids, "Numbers of dead letters, as list shows them.");
  dlq.flag("--all", to.all, "replay, purge: every dead letter.");
  dlq.option("--table", to.table, "TABLE", "Only those of this table of the source.");
  dlq.option("--destination", to.destination, "NAME", "Only those of this destination.");
  dlq.parsed<std::optional<std::chrono::microseconds>>(
      "--older-than", to.older_than, "DURATION", "Only those that first failed this long ago, such as 7d.",
      parse_age, "a duration", "7d");
  dlq.option("--set", to.set, "COLUMN=VALUE", "edit: a column's new value, as text.")
      ->allow_extra_args(false);
  dlq.option("--set-null", to.set_null, "COLUMN", "edit: a column that becomes NULL.")
      ->allow_extra_args(false);
  dlq.flag("--every-status", to.every_status, "list: also those that were replayed or purged.");
  dlq.flag("--force", to.force, "replay: also over later changes of the same row.");
  dlq.option("--pipeline", to.pipeline, "NAME", "Which pipeline, if there are several.");
  dlq.state(to.state);
  dlq.json(to.json);
}

template <class Arguments>
void where_to(Command& command, Arguments& to) {
  command.option("--table", to.table, "TABLE", "Only this table of the source.");
  command.option("--destination", to.destination, "NAME", "Only this destination.");
  command.option("--pipeline", to.pipeline, "NAME", "Which pipeline, if several run.");
  command.state(to.state);
}

}  // namespace

void declare_going_back(CommandSet& commands) {
  declare_dlq(commands);

  auto& replay =
      commands.add<ReplayArguments>("replay", "Send retained changes again; the rows come out as they were.");
  replay
      .option("--from", replay.arguments.from, "MOMENT",
              "A time, an age such as 10m, or a position of the source.")
      ->required();
  where_to(replay, replay.arguments);

  auto& rollback = commands.add<RollbackArguments>(
      "rollback", "Bring tables at a destination back to how the source was earlier.");
  auto& to = rollback.arguments;
  rollback.option("--to", to.to, "MOMENT", "A time, an age such as 10m, or a position of the source.")
      ->required();
  rollback.flag("--dry-run", to.dry_run, "Only show what it would take.");
  rollback.flag("--yes", to.yes, "Do it without asking.");
  rollback.flag("--partial", to.partial, "Also if not everything can be taken back.");
  where_to(rollback, to);
  rollback.json(to.json);
}

}  // namespace maia::app
