// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace maia {

/// How this process is named to another one that it shuts out or that shuts it out: "process 4711 on host
/// db1, started 2026-11-25 00:05:10 UTC". The same for the whole life of the process. Thread-safe.
const std::string& this_process();

}  // namespace maia
