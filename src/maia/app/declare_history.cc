// SPDX-License-Identifier: Apache-2.0
#include "maia/app/declarations.h"

namespace maia::app {
namespace {

void journal_place(Command& command, JournalPlace& place) {
  command.option("--journal", place.directory, "DIR", "Directory of the journal, in place of a pipeline.");
  command.state(place.state);
}

void declare_tail(CommandSet& commands) {
  using Format = TailArguments::Format;
  auto& tail =
      commands.add<TailArguments>("tail", "Show changes from a pipeline's journal, live or from a time on.");
  auto& to = tail.arguments;
  tail.argument("PIPELINE", to.place.pipeline, "Which pipeline, if several have a journal.");
  tail.option("--from", to.from, "",
              "Where to begin: an age such as 10m, a time with its offset, a position, or a sequence as "
              "#1234; the end if not given.");
  tail.list("--table", to.tables, "TABLE", "Only these tables.")->allow_extra_args(false);
  tail.option("--key", to.keys, "KEY", "Only the row with this key; of several columns, separated by commas.")
      ->allow_extra_args(false);
  tail.list("--op", to.ops, "OP", "Only these: insert, update, delete, read, truncate, schema.")
      ->allow_extra_args(false)
      ->check(CLI::IsMember(
          std::vector<std::string>{"insert", "update", "delete", "read", "truncate", "schema"}));
  tail.flag("--until-now", to.until_now, "End at what is there now; from the oldest without --from.");
  tail.choice("--format", to.format, "FORMAT", "text, json or debezium.",
              {std::pair("text", Format::text), std::pair("json", Format::json),
               std::pair("debezium", Format::debezium)});
  journal_place(tail, to.place);
}

void declare_journal(CommandSet& commands) {
  using Action = JournalArguments::Action;
  auto& journal =
      commands.add<JournalArguments>("journal", "List, check or query the changes that a journal retains.");
  auto& to = journal.arguments;
  journal
      .action("list, check or query.", to.action,
              {std::pair("list", Action::list), std::pair("check", Action::check),
               std::pair("query", Action::query)})
      ->required();
  journal.argument("SQL", to.sql, "For query: one SELECT over the table changes.");
  journal.option("--pipeline", to.place.pipeline, "NAME", "Which pipeline, if several have a journal.");
  journal.format(to.format);
  journal.json(to.json);
  journal.option("--rows", to.rows, "", "Most rows to answer with.")->capture_default_str();
  journal_place(journal, to.place);
  journal.require([&to]() -> Status {
    if (to.json) to.format = QueryArguments::Format::json;
    if ((to.action == Action::query) != to.sql.empty()) return {};
    return usage(to.sql.empty() ? "query needs a statement" : "only query takes a statement",
                 "such as: maia journal query \"select * from changes limit 10\"");
  });
}

}  // namespace

void declare_history(CommandSet& commands) {
  declare_tail(commands);
  declare_journal(commands);
}

}  // namespace maia::app
