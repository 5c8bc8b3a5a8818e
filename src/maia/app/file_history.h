// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "maia/app/outside.h"
#include "maia/config/pipeline_file.h"
#include "maia/state/file_versions.h"

namespace maia::app {

/// The version of its file that a pipeline runs with, as dead letters and status carry it; "" if it has no
/// file.
std::string version_of(const config::PipelineSettings& pipeline);

/// Whether anything of a pipeline is kept in its directory.
bool has_history(const std::string& pipeline_directory);
/// The versions of one pipeline's file. The directory must be there.
Result<std::unique_ptr<FileVersions>> open_versions(const std::string& pipeline_directory);

/// Keeps the pipeline's file as the version in use. `how` is "run" or "apply". Does nothing without a file.
Status remember(const config::PipelineSettings& pipeline, std::string_view how,
                const std::string& pipeline_directory);

/// What `maia run` is to run for a pipeline of a file: that file, unless `maia apply` has replaced this very
/// text since. Then it is the text that was applied, so that a restart does not undo it; `notice` says so.
Result<config::PipelineSettings> as_applied(config::PipelineSettings pipeline, const std::string& state,
                                            const Outside& outside, std::string& notice);

/// One kept version and whose it is.
struct KeptVersion {
  std::string pipeline;
  FileVersion version;
};
/// The kept versions of `pipeline`, or of all if it is empty; the newest first within each.
Result<std::vector<KeptVersion>> kept_versions(const std::string& pipeline, const std::string& state,
                                               const Outside& outside);
/// The one whose hash begins with `digits`, of all that the same names.
Result<KeptVersion> kept_version(std::string_view digits, const std::string& pipeline,
                                 const std::string& state, const Outside& outside);
/// A kept text as the pipelines that it describes. Refused if a password stood in it, which is not kept.
Result<std::vector<config::PipelineSettings>> pipelines_of(const FileVersion& version,
                                                           const Outside& outside);

}  // namespace maia::app
