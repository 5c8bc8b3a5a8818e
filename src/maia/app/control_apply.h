// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maia/app/pipeline_service.h"
#include "maia/base/result.h"
#include "maia/config/file_text.h"
#include "maia/server/http.h"
#include "maia/state/refits.h"

namespace maia::app {

/// The part of the control socket that takes up new settings: POST /apply. The service and `outside` outlive
/// the routes.
void add_apply_route(server::Routes& routes, PipelineService& service, const Outside& outside);

/// The other side: hands a file to the running pipeline and waits until it runs with it. Its answer in words.
/// Code::unavailable if the pipeline does not run.
Result<std::string> ask_apply(const std::string& pipeline_directory, const config::FileText& file,
                              const std::vector<Refit>& refits);

}  // namespace maia::app
