// SPDX-License-Identifier: Apache-2.0
// links: maia_postgres
// What the PostgreSQL source finds in a checkpoint: positions, plans and chunks of a snapshot, and patterns
// of tables. What is taken must be written again as it was read.
#include <cstdint>
#include <string>
#include <string_view>

#include "maia/base/assert.h"
#include "maia/connectors/postgres/position.h"
#include "maia/connectors/postgres/snapshot_plan.h"
#include "maia/sql/selection.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace maia;
  using namespace maia::postgres;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  if (const auto place = LogPlace::parse(Position{text}); place.ok()) {
    MAIA_ASSERT(place->position().token == text);
    MAIA_ASSERT(compare(Position{text}, place->position()) == 0);
  }
  if (const auto range = PageRange::parse(text); range.ok()) {
    MAIA_ASSERT(PageRange::parse(range->token()).value() == *range);
  }
  if (const auto geometry = ChunkGeometry::parse(text); geometry.ok()) {
    MAIA_ASSERT(ChunkGeometry::parse(geometry->token()).value() == *geometry);
  }
  if (const auto selection = sql::Selection::parse({text}, {"public"}); selection.ok()) {
    for (const auto& named : selection->named()) MAIA_ASSERT(selection->names(named, named.name));
  }
  return 0;
}
