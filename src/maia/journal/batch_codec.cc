// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/batch_codec.h"

#include <algorithm>

#include "maia/journal/column_codec.h"

namespace maia::journal {
namespace {

enum class ItemKind : std::uint8_t { batch = 1, truncate = 2, schema_change = 3 };
constexpr std::uint8_t kSameOp = 0xff;  // after it: the one op of all rows
constexpr std::uint8_t kCascade = 1;
constexpr std::uint8_t kRestartIdentity = 2;

Error bad(const char* reason) { return {Error::Code::corruption, Recovery::halt, reason, ""}; }

void encode_ops(ByteWriter& out, std::span<const Op> ops) {
  const bool same = std::all_of(ops.begin(), ops.end(), [&](Op op) { return op == ops.front(); });
  if (same) {
    out.u8(kSameOp);
    out.u8(ops.empty() ? 0 : static_cast<std::uint8_t>(ops.front()));
    return;
  }
  out.u8(0);
  out.raw(ops.data(), ops.size());
}

std::vector<Op> decode_ops(ByteReader& in, std::size_t rows) {
  const auto kind = in.u8();
  if (kind != kSameOp && kind != 0) in.fail();
  const auto from = in.bytes(kind == kSameOp ? 1 : rows);
  for (const auto op : from) {
    if (op > static_cast<std::uint8_t>(Op::remove)) in.fail();
  }
  std::vector<Op> ops;
  if (!in.ok()) return ops;
  if (kind == kSameOp) {
    ops.assign(rows, Op{from[0]});
  } else {
    for (const auto op : from) ops.push_back(Op{op});
  }
  return ops;
}

Status encode_batch(ByteWriter& out, const Batch& batch, const SchemaToNumber& number) {
  out.varint(MAIA_TRY(number(batch.schema())));
  out.varint(batch.rows());
  encode_ops(out, batch.ops());
  std::uint64_t last = 0;
  for (const auto ordinal : batch.ordinals()) {
    out.varint(ordinal - last);
    last = ordinal;
  }
  for (std::size_t i = 0; i < batch.columns(); ++i) encode_column(out, batch.after(i));
  out.u8(batch.has_before() ? 1 : 0);
  if (batch.has_before()) {
    for (std::size_t i = 0; i < batch.columns(); ++i) encode_column(out, batch.before(i));
  }
  return {};
}

std::vector<ColumnVector> decode_columns(ByteReader& in, const TableSchema& schema, std::size_t rows) {
  std::vector<ColumnVector> columns;
  for (const auto& column : schema.columns) columns.push_back(decode_column(in, physical(column.type), rows));
  return columns;
}

Result<Batch> decode_batch(ByteReader& in, const NumberToSchema& schema_of) {
  const auto number = in.varint();
  if (!in.ok()) return bad("a batch is cut off");
  auto schema = MAIA_TRY(schema_of(number));
  const auto rows = in.count(1);
  auto ops = decode_ops(in, rows);
  std::vector<std::uint64_t> ordinals;
  std::uint64_t last = 0;
  for (std::size_t row = 0; row < rows && in.ok(); ++row) ordinals.push_back(last += in.varint());
  if (!in.ok()) return bad("a batch's operations or ordinals are not valid");
  auto after = decode_columns(in, *schema, rows);
  const auto has_before = in.u8();
  if (has_before > 1) in.fail();
  std::vector<ColumnVector> before;
  if (in.ok() && has_before == 1) before = decode_columns(in, *schema, rows);
  if (!in.ok()) return bad("a batch's columns are not valid");
  return Batch::assemble(std::move(schema), std::move(ops), std::move(ordinals), std::move(after),
                         std::move(before));
}

Status encode_truncate(ByteWriter& out, const Truncate& truncate, const SchemaToNumber& number) {
  out.u8(static_cast<std::uint8_t>((truncate.cascade ? kCascade : 0) |
                                   (truncate.restart_identity ? kRestartIdentity : 0)));
  out.varint(truncate.ordinal);
  out.varint(truncate.tables.size());
  for (const auto& table : truncate.tables) out.varint(MAIA_TRY(number(table)));
  return {};
}

Result<Truncate> decode_truncate(ByteReader& in, const NumberToSchema& schema_of) {
  Truncate truncate;
  const auto flags = in.u8();
  if (flags > (kCascade | kRestartIdentity)) in.fail();
  truncate.cascade = (flags & kCascade) != 0;
  truncate.restart_identity = (flags & kRestartIdentity) != 0;
  truncate.ordinal = in.varint();
  const auto tables = in.count(1);
  for (std::size_t i = 0; i < tables; ++i) {
    const auto number = in.varint();
    if (!in.ok()) break;
    truncate.tables.push_back(MAIA_TRY(schema_of(number)));
  }
  if (!in.ok()) return bad("a truncate is not valid");
  return truncate;
}

Status encode_schema_change(ByteWriter& out, const SchemaChange& change, const SchemaToNumber& number) {
  out.varint(change.before ? MAIA_TRY(number(change.before)) : 0);
  out.varint(change.after ? MAIA_TRY(number(change.after)) : 0);
  out.varint(change.ordinal);
  out.varint(change.columns.size());
  for (const auto& column : change.columns) {
    out.u8(static_cast<std::uint8_t>(column.kind));
    out.text(column.column);
    out.text(column.old_name);
    out.u8(column.existing_rows ? 1 : 0);
    if (column.existing_rows) out.text(*column.existing_rows);
  }
  return {};
}

Result<SchemaChange> decode_schema_change(ByteReader& in, const NumberToSchema& schema_of) {
  SchemaChange change;
  const auto before = in.varint();
  const auto after = in.varint();
  change.ordinal = in.varint();
  const auto columns = in.count(4);
  for (std::size_t i = 0; i < columns && in.ok(); ++i) {
    ColumnChange column;
    const auto kind = in.u8();
    if (kind > static_cast<std::uint8_t>(ColumnChange::Kind::default_value)) in.fail();
    column.kind = ColumnChange::Kind{kind};
    column.column = in.text();
    column.old_name = in.text();
    const auto has_value = in.u8();
    if (has_value > 1) in.fail();
    if (has_value == 1) column.existing_rows = std::string(in.text());
    change.columns.push_back(std::move(column));
  }
  if (!in.ok()) return bad("a schema change is not valid");
  if (before != 0) change.before = MAIA_TRY(schema_of(before));
  if (after != 0) change.after = MAIA_TRY(schema_of(after));
  return change;
}

Result<Window::Item> decode_item(ByteReader& in, const NumberToSchema& schema) {
  switch (ItemKind{in.u8()}) {
    case ItemKind::batch: return Window::Item(MAIA_TRY(decode_batch(in, schema)));
    case ItemKind::truncate: return Window::Item(MAIA_TRY(decode_truncate(in, schema)));
    case ItemKind::schema_change: return Window::Item(MAIA_TRY(decode_schema_change(in, schema)));
  }
  return bad("an item of a window is of no known kind");
}

Result<Window> read_head(ByteReader& in) {
  Window window;
  window.end.token = in.text();
  window.received_at = in.i64();
  const auto transactions = in.count(11);
  for (std::size_t i = 0; i < transactions && in.ok(); ++i)
    window.transactions.push_back(decode_transaction(in));
  if (!in.ok()) return bad("a window's transactions are not valid");
  return window;
}

}  // namespace

void encode_transaction(ByteWriter& out, const Transaction& transaction) {
  out.text(transaction.position.token);
  out.text(transaction.id);
  out.i64(transaction.committed_at);
  out.varint(transaction.first_ordinal);
}

Transaction decode_transaction(ByteReader& in) {
  Transaction transaction;
  transaction.position.token = in.text();
  transaction.id = in.text();
  transaction.committed_at = in.i64();
  transaction.first_ordinal = in.varint();
  return transaction;
}

Status encode_window(ByteWriter& out, const Window& window, const SchemaToNumber& number) {
  out.text(window.end.token);
  out.i64(window.received_at);
  out.varint(window.transactions.size());
  for (const auto& transaction : window.transactions) encode_transaction(out, transaction);
  out.varint(window.items.size());
  for (const auto& item : window.items) {
    if (const auto* batch = std::get_if<Batch>(&item)) {
      out.u8(static_cast<std::uint8_t>(ItemKind::batch));
      MAIA_TRY(encode_batch(out, *batch, number));
    } else if (const auto* truncate = std::get_if<Truncate>(&item)) {
      out.u8(static_cast<std::uint8_t>(ItemKind::truncate));
      MAIA_TRY(encode_truncate(out, *truncate, number));
    } else {
      out.u8(static_cast<std::uint8_t>(ItemKind::schema_change));
      MAIA_TRY(encode_schema_change(out, std::get<SchemaChange>(item), number));
    }
  }
  return {};
}

Result<Window> decode_window_head(ByteView payload) {
  ByteReader in(payload);
  return read_head(in);
}

Result<Window> decode_window(ByteView payload, const NumberToSchema& schema) {
  ByteReader in(payload);
  auto window = MAIA_TRY(read_head(in));
  const auto items = in.count(2);
  if (!in.ok()) return bad("a window's items are not valid");
  for (std::size_t i = 0; i < items; ++i) window.items.push_back(MAIA_TRY(decode_item(in, schema)));
  if (!in.finished()) return bad("bytes follow the window");
  return window;
}

}  // namespace maia::journal
