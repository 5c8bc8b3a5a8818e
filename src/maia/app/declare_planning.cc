// SPDX-License-Identifier: Apache-2.0
#include "maia/app/declarations.h"

namespace maia::app {
namespace {

void declare_init(CommandSet& commands) {
  auto& init = commands.add<InitArguments>("init", "Write a pipeline file to begin with.");
  auto& to = init.arguments;
  init.argument("FILE", to.file, "Where to write it.")->capture_default_str();
  init.option("--source", to.source, "URI", "URI of the source.");
  init.option("--destination", to.destination, "URI", "URI of the destination.");
  init.flag("--force", to.force, "Replace a file that is there.");
}

void declare_apply(CommandSet& commands) {
  auto& apply = commands.add<ApplyArguments>(
      "apply", "Bring a pipeline to a changed file, while it runs or for its next run.");
  auto& to = apply.arguments;
  apply.argument("FILE", to.file, "Pipeline file.");
  apply.option("--version", to.version, "HASH",
               "A version that is kept, in place of a file; see maia history.");
  apply.option("--pipeline", to.pipeline, "NAME", "Only this pipeline of the version.");
  apply.flag("--yes", to.yes, "Also where rows have to be read again.");
  apply.state(to.state);
  apply.json(to.json);
  apply.require([&to]() -> Status {
    if (to.file.empty() != to.version.empty()) return {};
    return usage("maia apply takes either a FILE or --version", "maia history lists the versions");
  });
}

void declare_versions(CommandSet& commands) {
  using Action = HistoryArguments::Action;
  auto& history =
      commands.add<HistoryArguments>("history", "List the versions of pipeline files that ran, or show one.");
  auto& to = history.arguments;
  history.action("list or show.", to.action,
                 {std::pair("list", Action::list), std::pair("show", Action::show)});
  history.argument("HASH", to.hash, "Version to show; its first digits are enough.");
  history.option("--pipeline", to.pipeline, "NAME", "Only of this pipeline.");
  history.state(to.state);
  history.json(to.json);
  history.require([&to]() -> Status {
    if (to.action != Action::show || !to.hash.empty()) return {};
    return usage("maia history show needs the hash of a version", "maia history lists them");
  });
}

void declare_preview(CommandSet& commands) {
  auto& preview = commands.add<PreviewArguments>("preview", "Show rows before and after the transforms.");
  auto& to = preview.arguments;
  preview.argument("FILE", to.file, "Pipeline file.")->required();
  preview.list("--tables", to.tables, "TABLE", "Only these tables.");
  preview.option("--rows", to.rows, "", "Rows of each table.")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  preview.state(to.state);
  preview.json(to.json);
}

}  // namespace

void declare_planning(CommandSet& commands) {
  declare_init(commands);

  auto& validate =
      commands.add<ValidateArguments>("validate", "Check pipeline files without connecting anywhere.");
  validate.files(validate.arguments.files);
  validate.json(validate.arguments.json);

  auto& check = commands.add<CheckArguments>(
      "check", "Look at both systems and say what is missing, with the SQL that mends it.");
  check.files(check.arguments.files);
  check.state(check.arguments.state);
  check.json(check.arguments.json);

  auto& plan = commands.add<PlanArguments>("plan", "Show how each table and column will be stored.");
  plan.files(plan.arguments.files);
  plan.state(plan.arguments.state);
  plan.json(plan.arguments.json);

  declare_apply(commands);
  declare_versions(commands);
  declare_preview(commands);

  auto& test =
      commands.add<TestArguments>("test", "Run the examples that pipeline files carry under `tests:`.");
  test.files(test.arguments.files);
  test.json(test.arguments.json);

  auto& discover = commands.add<DiscoverArguments>("discover", "List the tables of a source.");
  discover.argument("SOURCE", discover.arguments.source, "URI or pipeline file.")->required();
  discover.state(discover.arguments.state);
  discover.json(discover.arguments.json);
}

}  // namespace maia::app
