// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "maia/config/node.h"
#include "maia/config/pipeline_file.h"
#include "maia/config/setting.h"

namespace maia::config {

/// The settings as data, for `--json` and for forms.
Node settings_json(std::span<const Setting> settings);

/// The settings as a Markdown table, with one more table below for each group.
std::string settings_markdown(std::span<const Setting> settings);

/// The pipeline file as a Markdown page: what is common, then each connector.
std::string pipeline_markdown(std::span<const ConnectorSettings> connectors);

/// JSON Schema (draft-07) of a whole pipeline file.
Node pipeline_schema(std::span<const ConnectorSettings> connectors);

/// The word for a kind of setting in schemas and pages: "text", "duration".
std::string_view to_string(Setting::Kind kind);

}  // namespace maia::config
