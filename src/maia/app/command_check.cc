// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "maia/app/commands.h"
#include "maia/app/pipelines.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

std::string_view word_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::ok: return "ok";
    case Finding::Level::warning: return "warning";
    case Finding::Level::error: return "error";
  }
  return "error";
}

/// What was found at one end. An end that cannot be looked at is a finding too, so that the others are still
/// shown.
struct EndFindings {
  std::string pipeline, end;
  Findings findings;
};

EndFindings look(std::string pipeline, std::string end, Result<Findings> found) {
  if (found.ok()) return {std::move(pipeline), std::move(end), *std::move(found)};
  auto error = std::move(found).error();
  return {std::move(pipeline), std::move(end), {{Finding::Level::error, error.message, "", error.hint}}};
}

Result<std::vector<EndFindings>> look_everywhere(const CheckArguments& arguments, const Outside& outside) {
  std::vector<EndFindings> all;
  for (const auto& pipeline : MAIA_TRY(load_pipelines(arguments.files, outside))) {
    const auto ends = MAIA_TRY(open_ends(pipeline, arguments.state, outside));
    all.push_back(look(pipeline.name, "source (" + pipeline.source.type + ")", ends.source->check()));
    for (std::size_t i = 0; i < ends.destinations.size(); ++i)
      all.push_back(
          look(pipeline.name, "destination " + pipeline.destinations[i].name, ends.destinations[i]->check()));
  }
  return all;
}

void print(std::ostream& out, const EndFindings& end) {
  out << end.pipeline << ", " << end.end << '\n';
  for (const auto& finding : end.findings) {
    out << "  " << word_of(finding.level) << ": " << finding.what << '\n';
    if (!finding.why.empty()) out << "    " << finding.why << '\n';
    std::istringstream fix(finding.fix);
    for (std::string line; std::getline(fix, line);) out << "    " << line << '\n';
  }
}

config::Node json_of(const EndFindings& end) {
  config::Node::Sequence findings;
  for (const auto& finding : end.findings)
    findings.push_back(config::Object()
                           .set("level", word_of(finding.level))
                           .set("what", finding.what)
                           .set("why", finding.why)
                           .set("fix", finding.fix)
                           .node());
  return config::Object()
      .set("pipeline", end.pipeline)
      .set("end", end.end)
      .set("findings", config::Node{std::move(findings), {}})
      .node();
}

}  // namespace

Result<ExitCode> execute(const CheckArguments& arguments, Outside& outside) {
  const auto all = MAIA_TRY(look_everywhere(arguments, outside));
  std::int64_t errors = 0, warnings = 0;
  config::Node::Sequence ends;
  for (const auto& end : all) {
    for (const auto& finding : end.findings) {
      errors += finding.level == Finding::Level::error;
      warnings += finding.level == Finding::Level::warning;
    }
    ends.push_back(json_of(end));
    if (!arguments.json) print(outside.out, end);
  }
  if (arguments.json) {
    auto answer = config::Object()
                      .set("errors", errors)
                      .set("warnings", warnings)
                      .set("ends", config::Node{std::move(ends), {}})
                      .node();
    outside.out << to_json(answer, 2) << '\n';
  } else {
    outside.out << errors << " errors, " << warnings << " warnings\n";
  }
  return errors > 0 ? ExitCode::check_failed : ExitCode::done;
}

}  // namespace maia::app
