// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/rewrite.h"

namespace maia::engine {
namespace {

Column column(std::string_view name, Type type, bool nullable) {
  Column column;
  column.name = name;
  column.type = std::move(type);
  column.nullable = nullable;
  column.id = name;
  return column;
}

bool appends(const DestinationOptions& options) { return options.mode == TableTarget::Mode::append; }

/// Walks the transactions of a window along with rows of rising ordinal.
class TransactionOf {
 public:
  explicit TransactionOf(std::span<const Transaction> all) : all_(all) {}
  const Transaction& at(std::uint64_t ordinal) {
    while (index_ + 1 < all_.size() && all_[index_ + 1].first_ordinal <= ordinal) ++index_;
    return all_[index_];
  }

 private:
  std::span<const Transaction> all_;
  std::size_t index_ = 0;
};

std::string_view op_letter(Op op) {
  switch (op) {
    case Op::read: return "r";
    case Op::insert: return "i";
    case Op::update: return "u";
    case Op::remove: return "d";
  }
  return "?";
}

/// Copies the row's values; what it lacks becomes NULL and is named in `missing`.
void append_values(Batch& out, const Batch& in, std::size_t row, std::string& missing) {
  for (std::size_t i = 0; i < in.columns(); ++i) {
    const bool removed = in.op(row) == Op::remove;
    const auto& from = removed ? in.before(i) : in.after(i);
    if (from.presence(row) != Presence::unchanged) {
      out.mutable_after(i).push_from(from, row);
      continue;
    }
    out.mutable_after(i).push_null();
    if (removed) continue;
    if (!missing.empty()) missing += ',';
    missing += in.schema()->columns[i].name;
  }
}

Batch rewrite_append(const Batch& in, const SchemaRef& output, std::span<const Transaction> transactions) {
  Batch out(output);
  TransactionOf transaction_of(transactions);
  const auto extra = in.columns();
  std::string missing;
  for (std::size_t row = 0; row < in.rows(); ++row) {
    const auto& transaction = transaction_of.at(in.ordinal(row));
    out.begin_row(Op::insert, in.ordinal(row));
    missing.clear();
    append_values(out, in, row, missing);
    out.mutable_after(extra).push_text(op_letter(in.op(row)));
    out.mutable_after(extra + 1).push_text(transaction.operation_id(in.ordinal(row)));
    out.mutable_after(extra + 2).push_fixed<std::int64_t>(transaction.committed_at);
    if (missing.empty()) {
      out.mutable_after(extra + 3).push_null();
    } else {
      out.mutable_after(extra + 3).push_text(missing);
    }
    out.finish_row();
  }
  return out;
}

void copy_before(Batch& out, const Batch& in, std::size_t row) {
  if (!in.has_before()) return;
  for (std::size_t i = 0; i < in.columns(); ++i) out.mutable_before(i).push_from(in.before(i), row);
}

Batch rewrite_soft(const Batch& in, const SchemaRef& output, std::span<const Transaction> transactions) {
  Batch out(output);
  TransactionOf transaction_of(transactions);
  const auto extra = in.columns();
  for (std::size_t row = 0; row < in.rows(); ++row) {
    const bool removed = in.op(row) == Op::remove;
    out.begin_row(removed ? Op::update : in.op(row), in.ordinal(row));
    for (std::size_t i = 0; i < in.columns(); ++i) {
      out.mutable_after(i).push_from(removed ? in.before(i) : in.after(i), row);
    }
    out.mutable_after(extra).push_fixed<std::uint8_t>(removed ? 1 : 0);
    if (removed) {
      out.mutable_after(extra + 1).push_fixed<std::int64_t>(transaction_of.at(in.ordinal(row)).committed_at);
    } else {
      out.mutable_after(extra + 1).push_null();
      copy_before(out, in, row);
    }
    out.finish_row();
  }
  return out;
}

Batch without_removes(const Batch& in, const SchemaRef& output) {
  Batch out(output);
  for (std::size_t row = 0; row < in.rows(); ++row) {
    if (in.op(row) != Op::remove) out.push_row(in, row);
  }
  return out;
}

}  // namespace

bool rewrites(const DestinationOptions& options) {
  return appends(options) || options.deletes != Deletes::apply;
}

SchemaRef rewritten(const SchemaRef& schema, const DestinationOptions& options) {
  if (!rewrites(options)) return schema;
  TableSchema copy = *schema;
  if (appends(options)) {
    for (auto& each : copy.columns) {
      each.nullable = true;
      each.in_key = false;
    }
    copy.columns.push_back(column(kOpColumn, Type::text(), false));
    copy.columns.push_back(column(kIdColumn, Type::text(), false));
    copy.columns.push_back(column(kCommittedAtColumn, Type::of(TypeId::timestamp_tz), false));
    copy.columns.push_back(column(kUnchangedColumn, Type::text(), true));
  } else if (options.deletes == Deletes::soft) {
    copy.columns.push_back(column(kDeletedColumn, Type::of(TypeId::boolean), false));
    copy.columns.push_back(column(kDeletedAtColumn, Type::of(TypeId::timestamp_tz), true));
  }
  return std::make_shared<const TableSchema>(std::move(copy));
}

Batch rewrite(const Batch& batch, const SchemaRef& output, const DestinationOptions& options,
              std::span<const Transaction> transactions) {
  if (appends(options)) return rewrite_append(batch, output, transactions);
  if (options.deletes == Deletes::soft) return rewrite_soft(batch, output, transactions);
  return without_removes(batch, output);
}

}  // namespace maia::engine
