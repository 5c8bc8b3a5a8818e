// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/app/command_set.h"

namespace maia::app {

// The commands, in the order in which the help lists them.
void declare_running(CommandSet& commands);     ///< run, sync, drop
void declare_planning(CommandSet& commands);    ///< from init to discover: before anything moves
void declare_operating(CommandSet& commands);   ///< status, query, pause, resume, resync
void declare_going_back(CommandSet& commands);  ///< dlq, replay, rollback
void declare_history(CommandSet& commands);     ///< tail, journal
void declare_asking(CommandSet& commands);      ///< connectors, schema, completion, version

}  // namespace maia::app
