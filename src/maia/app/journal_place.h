// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/app/arguments.h"
#include "maia/app/outside.h"
#include "maia/journal/journal_reader.h"

namespace maia::app {

/// The directory of a journal. Code::invalid_config, with the names that there are, if it cannot be told.
Result<std::string> journal_directory(const JournalPlace& place, const Outside& outside);

/// Where to begin, as people write it: what parse_moment takes, with a position as `maia tail` shows it, or a
/// sequence ("#1234"). The sequence after which to read.
Result<Sequence> sequence_of(JournalReader& reader, const std::string& text, WallMicros now);

}  // namespace maia::app
