// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "maia/types/window.h"

namespace maia {

/// What the stream yields. Transactions are complete unless they are Fragments.
struct StreamEvent {
  /// Whole committed transactions in commit order; sequence not yet given.
  struct Changes {
    Window window;
  };
  /// Rows of a transaction that is still running at the source. Ordinals count from 0 within the transaction.
  struct Fragment {
    std::string transaction;
    Window window;  ///< no transactions in it; end is empty
  };
  /// The running transaction rolled back everything from this ordinal to what was sent so far; from 0: all of
  /// it.
  struct Abort {
    std::string transaction;
    std::uint64_t from_ordinal = 0;
  };
  /// The running transaction committed; first_ordinal is 0.
  struct Commit {
    std::string transaction;
    Transaction committed;
  };
  /// Everything that committed up to `position` has been yielded. Transactions that still run may have sent
  /// fragments; after a resume from here they are sent again from their start.
  struct Idle {
    Position position;
  };
  std::variant<Changes, Fragment, Abort, Commit, Idle> what;
};

}  // namespace maia
