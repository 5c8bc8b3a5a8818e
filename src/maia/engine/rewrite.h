// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "maia/engine/options.h"
#include "maia/types/window.h"

namespace maia::engine {

/// Columns that MAIA adds to tables at the destination.
inline constexpr std::string_view kOpColumn = "_maia_op";                     ///< append: r i u d
inline constexpr std::string_view kIdColumn = "_maia_id";                     ///< append: operation id
inline constexpr std::string_view kCommittedAtColumn = "_maia_committed_at";  ///< append
inline constexpr std::string_view kUnchangedColumn = "_maia_unchanged";       ///< append: columns not sent
inline constexpr std::string_view kDeletedColumn = "_maia_deleted";           ///< soft deletes
inline constexpr std::string_view kDeletedAtColumn = "_maia_deleted_at";      ///< soft deletes

/// Whether rows look different at the destination than after the transforms.
bool rewrites(const DestinationOptions& options);
/// The shape of a rewritten table.
SchemaRef rewritten(const SchemaRef& schema, const DestinationOptions& options);

/// Turns a batch into what the destination's mode asks for: append makes every change an insert with its
/// operation, id and time; soft deletes become updates; ignored deletes vanish. `output` is
/// rewritten(batch.schema()). `transactions` are those of the window.
Batch rewrite(const Batch& batch, const SchemaRef& output, const DestinationOptions& options,
              std::span<const Transaction> transactions);

}  // namespace maia::engine
