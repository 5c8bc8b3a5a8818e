// SPDX-License-Identifier: Apache-2.0
#include "maia/app/file_history.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "maia/app/connectors.h"
#include "maia/app/state_directory.h"
#include "maia/config/difference.h"
#include "maia/config/yaml.h"

namespace maia::app {
namespace {

constexpr const char* kFile = "/maia.sqlite";

std::string user_name() {
  const auto* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_name : std::to_string(::geteuid());
}

/// What is different in words; two texts of the same meaning differ in their remarks only.
std::string what_changed(const std::string& before, const std::string& after) {
  const auto old_document = config::parse_yaml(before, "");
  const auto new_document = config::parse_yaml(after, "");
  if (!old_document.ok() || !new_document.ok()) return "changed";
  const auto words = config::in_words(config::differences(*old_document, *new_document));
  return words.empty() ? "remarks and layout" : words;
}

/// The pipelines that have kept anything, sorted.
std::vector<std::string> pipelines_with_history(const std::string& root) {
  std::vector<std::string> names;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(root, failure)) {
    if (has_history(entry.path())) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string version_of(const config::PipelineSettings& pipeline) {
  return pipeline.file ? short_hash(version_hash(pipeline.file->text)) : "";
}

bool has_history(const std::string& pipeline_directory) {
  return std::filesystem::exists(pipeline_directory + kFile);
}

Result<std::unique_ptr<FileVersions>> open_versions(const std::string& pipeline_directory) {
  return FileVersions::open(pipeline_directory + kFile);
}

Status remember(const config::PipelineSettings& pipeline, std::string_view how,
                const std::string& pipeline_directory) {
  if (!pipeline.file) return {};
  const auto versions = MAIA_TRY(open_versions(pipeline_directory));
  const auto current = MAIA_TRY(versions->current());
  return versions->record(
      FileVersion{.hash = version_hash(pipeline.file->text),
                  .path = pipeline.file->path,
                  .text = pipeline.file->kept,
                  .how = std::string(how),
                  .user = user_name(),
                  .changed = current ? what_changed(current->text, pipeline.file->kept) : "first version",
                  .at = system_clock().wall()});
}

Result<config::PipelineSettings> as_applied(config::PipelineSettings pipeline, const std::string& state,
                                            const Outside& outside, std::string& notice) {
  notice.clear();
  const auto directory =
      pipeline_directory(MAIA_TRY(state_directory(state, outside.environment)), pipeline.name);
  if (!pipeline.file || !has_history(directory)) return pipeline;
  const auto versions = MAIA_TRY(open_versions(directory));
  const auto all = MAIA_TRY(versions->list());
  const auto hash = version_hash(pipeline.file->text);
  if (all.empty() || all.front().how != "apply" || all.front().hash == hash) return pipeline;
  const bool edited_since =
      std::none_of(all.begin(), all.end(), [&](const FileVersion& each) { return each.hash == hash; });
  if (edited_since) return pipeline;
  for (auto& each : MAIA_TRY(in(pipeline.name, pipelines_of(all.front(), outside)))) {
    if (each.name != pipeline.name) continue;
    notice =
        fmt::format("running version {}, which was applied after {} was written; maia apply {} goes back",
                    short_hash(all.front().hash), pipeline.file->path, pipeline.file->path);
    return std::move(each);
  }
  return pipeline;
}

Result<std::vector<KeptVersion>> kept_versions(const std::string& pipeline, const std::string& state,
                                               const Outside& outside) {
  const auto root = MAIA_TRY(state_directory(state, outside.environment));
  auto names = pipelines_with_history(root);
  if (!pipeline.empty()) {
    if (std::find(names.begin(), names.end(), pipeline) == names.end()) {
      return Error{Error::Code::invalid_config, Recovery::halt,
                   fmt::format("no version of {} is kept in {}", pipeline, root),
                   "a version is kept from the first maia run or maia apply on"};
    }
    names = {pipeline};
  }
  std::vector<KeptVersion> out;
  for (const auto& name : names) {
    const auto versions = MAIA_TRY(open_versions(pipeline_directory(root, name)));
    for (auto& version : MAIA_TRY(versions->list())) out.push_back({name, std::move(version)});
  }
  return out;
}

Result<KeptVersion> kept_version(std::string_view digits, const std::string& pipeline,
                                 const std::string& state, const Outside& outside) {
  std::set<std::string> hashes;
  KeptVersion found;
  for (auto& each : MAIA_TRY(kept_versions(pipeline, state, outside))) {
    if (digits.empty() || !each.version.hash.starts_with(digits)) continue;
    if (hashes.insert(each.version.hash).second) found = std::move(each);
  }
  if (hashes.size() == 1) return found;
  if (hashes.empty())
    return Error{Error::Code::invalid_config, Recovery::halt, fmt::format("no version is called {}", digits),
                 "maia history lists those that are kept"};
  return Error{Error::Code::invalid_config, Recovery::halt,
               fmt::format("{} versions begin with {}", hashes.size(), digits), "give more of the hash"};
}

Result<std::vector<config::PipelineSettings>> pipelines_of(const FileVersion& version,
                                                           const Outside& outside) {
  if (version_hash(version.text) != version.hash) {
    return Error{
        Error::Code::invalid_config, Recovery::halt,
        fmt::format("a password stood in version {}, and passwords are not kept", short_hash(version.hash)),
        "take its text from maia history show, write the password as ${env:NAME}, and apply that"};
  }
  auto file = MAIA_TRY(config::parse_pipeline_file(
      version.text, version.path, connector_settings(outside.connectors), outside.environment));
  return std::move(file.pipelines);
}

}  // namespace maia::app
