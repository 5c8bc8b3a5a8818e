// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/app/arguments.h"
#include "maia/app/outside.h"
#include "maia/connector/destination.h"

namespace maia::app {

/// Writes what a query answered; `most_rows` is what it was limited to.
void show(const Destination::QueryResult& result, QueryArguments::Format format, std::uint64_t most_rows,
          Outside& outside);

}  // namespace maia::app
