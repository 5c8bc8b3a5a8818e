// SPDX-License-Identifier: Apache-2.0
#include "maia/app/declarations.h"
#include "maia/config/scalar.h"

namespace maia::app {
namespace {

std::optional<std::optional<ByteSize>> parse_memory_limit(const std::string& text) {
  const auto size = config::parse_byte_size(text);
  if (!size || *size < ByteSize::mib(192)) return std::nullopt;
  return size;
}

void how_to_run(Command& command, RunArguments& run) {
  command.flag("--until-caught-up", run.until_caught_up,
               "End once every row is copied and the source's position at the start is durable.");
  command.option("--listen", run.listen, "HOST:PORT", "Serve metrics and status over HTTP.");
  command.parsed<std::optional<ByteSize>>("--memory-limit", run.memory_limit, "SIZE",
                                          "Most memory that the process may use, such as 1GiB.",
                                          parse_memory_limit, "a size of 192MiB or more", "1GiB");
  command.state(run.state);
  command.flag("--json", run.json, "Write JSON log lines also on a terminal.");
}

void declare_sync(CommandSet& commands) {
  auto& sync =
      commands.add<SyncArguments>("sync", "Copy one system into another and follow it, without a file.");
  auto& to = sync.arguments;
  sync.argument("SOURCE", to.source, "URI to read from, such as postgres://user@host/database.")->required();
  sync.argument("DESTINATION", to.destination, "URI to write to, such as duckdb:shop.duckdb.")->required();
  sync.list("--tables", to.tables, "TABLE", "Tables to copy, separated by commas; `*` stands for any text.");
  sync.option("--name", to.name, "NAME", "Name of the pipeline.");
  sync.choice("--mode", to.mode, "MODE", "upsert keeps tables equal; append keeps every change.",
              {std::pair("upsert", std::string("upsert")), std::pair("append", std::string("append"))});
  sync.list("--key", to.key, "COLUMN", "Columns that identify a row, in place of the primary key.");
  auto* save = sync.option(
      "--save", to.save_file, "FILE",
      "Write the pipeline file that this stands for, instead of running it; without FILE, print it.");
  save->expected(0, 1);
  sync.require([&to, save]() -> Status {
    to.save = save->count() > 0;
    return {};
  });
  how_to_run(sync, to.run);
}

}  // namespace

void declare_running(CommandSet& commands) {
  auto& run = commands.add<RunArguments>("run", "Run pipelines in the foreground until Ctrl-C.");
  run.files(run.arguments.files);
  how_to_run(run, run.arguments);

  declare_sync(commands);

  auto& drop = commands.add<DropArguments>(
      "drop", "Remove what pipelines keep at both ends: slot, publication, checkpoint; never rows.");
  drop.files(drop.arguments.files);
  drop.option("--destination", drop.arguments.destination, "NAME",
              "Only what this destination keeps; it may have left the file since.");
  drop.state(drop.arguments.state);
  drop.json(drop.arguments.json);
}

}  // namespace maia::app
