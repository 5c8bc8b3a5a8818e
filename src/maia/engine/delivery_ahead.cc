// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that writes rows of a large transaction while it still runs at the source, so that
// reading and writing overlap. They are in a transaction of the destination that commits only after the
// source's has, as the next one and with exactly these rows. In every other case it is rolled back, and the
// journal gives everything once more in its order.
#include <algorithm>

#include "maia/engine/delivery.h"
#include "maia/engine/rewrite.h"
#include "maia/engine/schema_diff.h"

namespace maia::engine {

bool Delivery::may_go_ahead() const {
  if (ahead_) return true;
  if (!options_.transactional || !destination_->takes_rows_ahead() || rewrites(options_)) return false;
  // Nothing else may be in the way of these rows, or want a place in their transaction.
  if (copy_ || isolating_ || !waiting_.none() || !other_facts_.empty() || !skipped_.empty()) return false;
  const Sequence next{checkpoint_.sequence.value + 1};
  if (next == not_ahead_ || next <= alone_until_) return false;
  const auto plain = [](const auto& each) {
    const auto& fact = each.second.fact;
    return fact.state == TableState::streaming && !fact.held && !fact.skip_until && !fact.converge_until &&
           !each.second.dirty;
  };
  if (!std::all_of(tables_.begin(), tables_.end(), plain)) return false;
  // What has no position yet must be news here.
  return parts_.source.compare(parts_.journal.tail().position, checkpoint_.position) >= 0;
}

Status Delivery::write_ahead(const WindowRef& window, InHand in_hand) {
  ahead_ = in_hand;
  for (const auto& item : window->items) {
    const auto* batch = std::get_if<Batch>(&item);
    const auto* change = std::get_if<SchemaChange>(&item);
    // Of a change only the shape that is there already: tables that stream are named once.
    const auto shape = batch != nullptr ? batch->schema() : change != nullptr ? change->after : nullptr;
    const auto found = shape ? tables_.find(shape->id) : tables_.end();
    if (found == tables_.end() || !same_shape(*found->second.fact.source, *shape)) return taken_back();
  }
  MAIA_TRY(take(window, stream_));
  MAIA_TRY(flush());
  ahead_->rows += window->rows();
  ahead_->bytes += window->byte_size();
  ahead_->grew = parts_.clock.steady();
  return {};
}

Status Delivery::meet_commit(const Window& end) {
  const bool is_next = end.sequence.value == checkpoint_.sequence.value + 1;
  if (!is_next || first_news(end, checkpoint_.position) != 0) return taken_back();
  ahead_.reset();
  return {};
}

Error Delivery::taken_back() const {
  return {Error::Code::cancelled, Recovery::halt, "what was written ahead of its commit is taken back", ""};
}

Status Delivery::leave_ahead() {
  not_ahead_ = Sequence{checkpoint_.sequence.value + 1};
  interrupt();
  return load_tables();
}

}  // namespace maia::engine
