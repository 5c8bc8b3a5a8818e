// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "maia/app/commands.h"
#include "maia/app/uri_pipeline.h"
#include "maia/config/nearest.h"
#include "maia/config/yaml.h"

namespace maia::app {
namespace {

using config::Setting;

/// What to write as a setting's value: its example, else its default, else a word to replace.
std::string sample_of(const Setting& s) {
  if (!s.example.empty()) return s.example;
  return s.default_text.empty() ? "..." : s.default_text;
}

/// One end with its settings and their meaning: the required ones filled in, the others as comments.
std::string end_text(std::string_view end, const Connector& connector, const std::vector<Setting>& settings) {
  std::string out = fmt::format("{}:  # {}\n  type: {}\n", end, connector.summary, connector.name);
  for (const auto& s : settings) {
    if (s.advanced) continue;
    out += fmt::format("  {}{}: {}  # {}\n", s.required ? "" : "# ", s.name, sample_of(s), s.doc);
  }
  return out;
}

/// A file to fill in, for the first connectors that can be each end; of sources one whose rows can be copied.
std::string template_text(Connectors connectors) {
  std::string source, destination;
  for (const auto* c : connectors) {
    if (source.empty() && c->can.snapshot) source = end_text("source", *c, c->source_settings);
    if (destination.empty() && !c->destination_settings.empty())
      destination = end_text("destination", *c, c->destination_settings);
  }
  return "# A pipeline of MAIA Sync. Check it with `maia validate`, `maia check` and `maia plan`; then `maia "
         "run`.\n" +
         source + destination + "  # mode: upsert  # or append, which keeps every change as a row\n";
}

Result<std::string> text_of(const InitArguments& arguments, Outside& outside) {
  if (arguments.source.empty() && arguments.destination.empty()) return template_text(outside.connectors);
  if (arguments.source.empty() || arguments.destination.empty())
    return Error{Error::Code::invalid_config, Recovery::halt, "--source and --destination belong together",
                 "give both, or neither for a file to fill in"};
  const auto pipeline = MAIA_TRY(
      pipeline_of({.source = arguments.source, .destination = arguments.destination}, outside.connectors));
  MAIA_TRY(config::read_pipelines(pipeline, connector_settings(outside.connectors), "init"));
  std::vector<std::string> variables;
  auto text = to_yaml(without_secrets(pipeline, variables));
  if (!variables.empty())
    outside.err << "it reads " << config::listed(variables)
                << " from the environment; passwords are not saved\n";
  return text;
}

}  // namespace

Result<ExitCode> execute(const InitArguments& arguments, Outside& outside) {
  if (!arguments.force && std::filesystem::exists(arguments.file))
    return Error{Error::Code::invalid_config, Recovery::halt, arguments.file + " is there already",
                 "choose another name, or replace it with --force"};
  const auto text = MAIA_TRY(text_of(arguments, outside));
  std::ofstream file(arguments.file, std::ios::binary);
  if (!(file << text).flush())
    return Error{Error::Code::storage, Recovery::halt,
                 arguments.file + " cannot be written: " + std::strerror(errno), ""};
  outside.out << "wrote " << arguments.file << '\n';
  return ExitCode::done;
}

}  // namespace maia::app
