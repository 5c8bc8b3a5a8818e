// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/make_transform.h"

#include <fmt/format.h>

#include "maia/transforms/mapped_transform.h"

namespace maia::transforms {
namespace {

Result<MappedTransform::Source> parse(const config::TransformSettings& settings, Sandbox& sandbox) {
  if (settings.script) return MappedTransform::Source(MAIA_TRY(Script::parse(*settings.script)));
  return MappedTransform::Source(MAIA_TRY(SqlSelect::parse(sandbox, settings.sql.value_or(""))));
}

}  // namespace

Result<std::vector<std::unique_ptr<Transform>>> make_transforms(
    std::span<const config::TransformSettings> settings) {
  std::vector<std::unique_ptr<Transform>> made;
  if (settings.empty()) return made;
  auto sandbox = MAIA_TRY(Sandbox::instance());
  for (const auto& each : settings) {
    const auto where = each.mark.line > 0 ? fmt::format("{}: transform '{}'", to_string(each.mark), each.name)
                                          : fmt::format("transform '{}'", each.name);
    auto source = MAIA_TRY(in(where, parse(each, *sandbox)));
    made.push_back(std::make_unique<MappedTransform>(each.name, each.tables, std::move(source), sandbox));
  }
  return made;
}

void limit_memory(std::uint64_t bytes) { Sandbox::limit_memory(bytes); }

}  // namespace maia::transforms
