// SPDX-License-Identifier: Apache-2.0
// links: maia_mysql
// What the MySQL source finds in a checkpoint: positions, plans and chunks of a snapshot; and what servers
// say of their transactions. What is taken must be written again so that it is read as the same.
#include <cstdint>
#include <string>

#include "maia/base/assert.h"
#include "maia/connectors/mysql/gtid_set.h"
#include "maia/connectors/mysql/key_range.h"
#include "maia/connectors/mysql/position.h"
#include "maia/connectors/mysql/statement.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace maia;
  using namespace maia::mysql;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  if (const auto set = GtidSet::parse(text); set.ok()) {
    MAIA_ASSERT(GtidSet::parse(set->text()).value() == *set);
    MAIA_ASSERT(set->contains(*set));
    auto rest = *set;
    rest.subtract(set.value());
    MAIA_ASSERT(rest.empty());
    static_cast<void>(set->encoded());
  }
  static_cast<void>(DomainPositions::parse_state(text));
  if (const auto place = LogPlace::parse(Position{text}); place.ok()) {
    MAIA_ASSERT(LogPlace::parse(place->position()).value() == *place);
    MAIA_ASSERT(compare(Position{text}, place->position()) == 0);
  }
  if (const auto range = KeyRange::parse(text); range.ok()) {
    MAIA_ASSERT(KeyRange::parse(range->token()).value() == *range);
  }
  if (const auto plan = KeyPlan::parse(text); plan.ok()) {
    MAIA_ASSERT(KeyPlan::parse(plan->token()).value() == *plan);
  }
  static_cast<void>(read_statement(text, "d"));
  return 0;
}
