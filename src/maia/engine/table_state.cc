// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/table_state.h"

namespace maia::engine {

std::string_view to_string(TableState state) {
  switch (state) {
    case TableState::waiting: return "waiting";
    case TableState::snapshot: return "snapshot";
    case TableState::catching_up: return "catching up";
    case TableState::streaming: return "streaming";
    case TableState::paused: return "paused";
    case TableState::quarantined: return "quarantined";
    case TableState::removed: return "removed";
  }
  return "waiting";
}

std::string_view to_string(TableEvent event) {
  switch (event) {
    case TableEvent::read: return "read";
    case TableEvent::copied: return "copied";
    case TableEvent::met: return "met";
    case TableEvent::pause: return "pause";
    case TableEvent::resume: return "resume";
    case TableEvent::reread: return "reread";
    case TableEvent::fail: return "fail";
    case TableEvent::remove: return "remove";
  }
  return "read";
}

}  // namespace maia::engine
