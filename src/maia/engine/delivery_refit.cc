// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that brings a table to settings that are others than when it was made.
#include <fmt/format.h>

#include "maia/engine/delivery.h"

namespace maia::engine {

Result<std::string> Delivery::refit(const std::string& table, bool reread) {
  MAIA_TRY(reachable());
  auto& entry = *MAIA_TRY(named(table)).front();
  MAIA_TRY(destination_->begin());
  auto done = refit_table(entry, reread);
  if (done.ok()) done = commit(checkpoint_.sequence, checkpoint_.position);
  if (!done.ok()) {
    interrupt();
    MAIA_TRY(load_tables());
    return std::move(done).error();
  }
  publish(state_if_well());
  return fmt::format("{}: {} is {} now{}", options_.name, to_string(entry.fact.source->name),
                     to_string(entry.route.target().name),
                     reread ? ", its rows are read again and what differs is mended" : "");
}

Status Delivery::refit_table(TableEntry& entry, bool reread) {
  auto& fact = entry.fact;
  // Nothing is there yet that would have to change.
  if (!fact.made) return adopt_shape(entry, fact.source);
  MAIA_TRY(bind_again(entry));
  // Somebody has asked for the new shape and seen it: what the drift rules keep back by themselves is done.
  const SchemaChange change{.before = fact.source, .after = fact.source, .columns = {}, .ordinal = 0};
  MAIA_TRY(reshape(entry, change, DriftOptions{}));
  return reread ? begin_resync(entry, "") : Status();
}

}  // namespace maia::engine
