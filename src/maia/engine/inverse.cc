// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/inverse.h"

#include <fmt/format.h>

#include "maia/base/bytes.h"
#include "maia/engine/letter.h"
#include "maia/types/value_text.h"

namespace maia::engine {
namespace {

constexpr std::size_t kBatchRows = 4096;

/// A key's bytes in words: its texts, separated by commas.
std::string in_words(const std::string& key) {
  ByteReader in(as_bytes(key));
  std::string words;
  while (in.ok() && !in.finished()) words += (words.empty() ? "" : ", ") + std::string(in.text());
  return words;
}

std::string bytes_of(const RowImage& image) {
  Bytes bytes;
  ByteWriter out(bytes);
  for (const auto& cell : image) {
    out.u8(static_cast<std::uint8_t>(cell.presence));
    out.text(cell.bytes);
  }
  return std::string(as_text(bytes));
}

}  // namespace

Inverse::Inverse(SchemaRef shape, Part part) : shape_(std::move(shape)), part_(part), key_(shape_->key()) {}

bool Inverse::mine(const std::string& key) const {
  return part_.parts == 1 || std::hash<std::string>{}(key) % part_.parts == part_.part;
}

const Inverse::Columns& Inverse::columns_of(const SchemaRef& shape) {
  auto [at, fresh] = columns_.try_emplace(shape.get());
  if (fresh) at->second = Columns{shape, match_columns(*shape, *shape_)};
  return at->second;
}

RowImage Inverse::image(const Batch& batch, std::size_t row, bool before) {
  RowImage image;
  for (const auto& from : columns_of(batch.schema()).from) {
    Cell cell;
    if (from && before && batch.has_before()) cell = cell_of(batch.before(*from), row);
    if (from && !before) {
      cell = cell_of(batch.after(*from), row);
      // What an update did not send is as it was.
      if (!cell.known() && batch.has_before()) cell = cell_of(batch.before(*from), row);
    }
    image.push_back(std::move(cell));
  }
  return image;
}

Inverse::Row& Inverse::touch(const std::string& key, bool existed) {
  const auto [at, fresh] = rows_.try_emplace(key);
  if (fresh) {
    at->second.existed = existed;
    at->second.exists = existed;
    at->second.image.resize(shape_->columns.size());
    at->second.sent.resize(shape_->columns.size());
  }
  return at->second;
}

/// A before image tells how the row was at the place in the columns that had not changed until then.
void Inverse::learn(Row& known, const Batch& batch, std::size_t row) {
  if (!known.existed) return;
  auto before = image(batch, row, true);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].known() && !known.sent[i] && !known.image[i].known()) known.image[i] = std::move(before[i]);
  }
}

void Inverse::later_row(const Batch& batch, std::size_t row) {
  const auto op = batch.op(row);
  const auto old_key = key_before(batch, row);
  const auto new_key = op == Op::remove ? old_key : key_after(batch, row);
  if (op == Op::insert || op == Op::read) {
    if (!mine(new_key)) return;
    auto& known = touch(new_key, false);
    known.exists = true;
    known.sent.assign(known.sent.size(), true);
    return;
  }
  if (mine(old_key)) {
    auto& known = touch(old_key, true);
    learn(known, batch, row);
    if (op == Op::remove || old_key != new_key) {
      known.exists = false;
      known.sent.assign(known.sent.size(), true);
    } else {
      const auto& columns = columns_of(batch.schema()).from;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        // A column that the change's shape lacks was dropped or made anew since.
        const bool sent = !columns[i] || batch.after(*columns[i]).presence(row) != Presence::unchanged;
        known.sent[i] = known.sent[i] || sent;
      }
    }
  }
  if (op == Op::update && old_key != new_key && mine(new_key)) {
    auto& known = touch(new_key, false);
    known.exists = true;
    known.sent.assign(known.sent.size(), true);
  }
}

Status Inverse::count(const Batch& batch, std::size_t row, bool before, int change) {
  auto whole = image(batch, row, before);
  for (const auto& cell : whole) {
    if (cell.known()) continue;
    return Error{Error::Code::data, Recovery::halt,
                 fmt::format("{} has no key, and a change of it does not carry the whole row",
                             to_string(shape_->name)),
                 "give it a primary key, or REPLICA IDENTITY FULL"};
  }
  const auto bytes = bytes_of(whole);
  if (!mine(bytes)) return {};
  auto& known = counts_of_rows_[bytes];
  known.net += change;
  known.image = std::move(whole);
  return {};
}

Status Inverse::later_keyless(const Batch& batch, std::size_t row) {
  const auto op = batch.op(row);
  if (op == Op::update || op == Op::remove) MAIA_TRY(count(batch, row, true, -1));
  if (op != Op::remove) MAIA_TRY(count(batch, row, false, 1));
  return {};
}

Status Inverse::later(const Batch& batch, std::uint64_t from, std::uint64_t until) {
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    if (batch.ordinal(row) < from || batch.ordinal(row) >= until) continue;
    if (key_.empty()) {
      MAIA_TRY(later_keyless(batch, row));
    } else {
      later_row(batch, row);
    }
  }
  return {};
}

/// Whether a value is missing that nothing but the past can tell.
bool Inverse::lacks(const Row& row) const {
  if (!row.existed) return false;
  for (std::size_t i = 0; i < row.image.size(); ++i) {
    if (shape_->columns[i].in_key) continue;
    if (!row.image[i].known() && (row.sent[i] || !row.exists)) return true;
  }
  return false;
}

bool Inverse::needs_earlier() {
  if (!prepared_) {
    prepared_ = true;
    for (const auto& [key, row] : rows_) {
      if (lacks(row)) wanted_.insert(key);
    }
    again_ = !wanted_.empty();
  }
  const bool needs = again_;
  again_ = false;
  past_.clear();
  return needs;
}

void Inverse::earlier_row(const Batch& batch, std::size_t row) {
  const auto op = batch.op(row);
  const auto old_key = key_before(batch, row);
  const auto new_key = op == Op::remove ? old_key : key_after(batch, row);
  const bool moves = op == Op::update && old_key != new_key;
  RowImage was;
  if (op == Op::update || op == Op::remove) {
    if (const auto known = past_.find(old_key); known != past_.end()) {
      was = std::move(known->second);
      past_.erase(known);
    }
  }
  if (op == Op::remove || !wanted_.contains(new_key)) {
    // The row goes on under a key that nobody asks for; but the values stay where the key did.
    return;
  }
  auto now = image(batch, row, false);
  bool missing = false;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (!now[i].known() && i < was.size()) now[i] = std::move(was[i]);
    missing = missing || !now[i].known();
  }
  // Its values come from another key, whose past was not looked at.
  if (moves && missing && wanted_.insert(old_key).second) again_ = true;
  past_[new_key] = std::move(now);
}

void Inverse::earlier(const Batch& batch, std::uint64_t from, std::uint64_t until) {
  if (key_.empty()) return;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    if (batch.ordinal(row) >= from && batch.ordinal(row) < until) earlier_row(batch, row);
  }
}

void Inverse::earlier_truncate() { past_.clear(); }

void Inverse::end_of_pass() {
  if (again_) return;
  for (auto& [key, past] : past_) {
    const auto row = rows_.find(key);
    if (row == rows_.end() || !row->second.existed) continue;
    for (std::size_t i = 0; i < past.size(); ++i) {
      if (!row->second.image[i].known()) row->second.image[i] = past[i];
    }
  }
  past_.clear();
}

namespace {

/// Collects rows and hands them on in batches.
class Collector {
 public:
  Collector(const SchemaRef& shape, const std::function<Status(const Batch&)>& sink)
      : sink_(sink), batch_(shape) {}
  Batch& begin(Op op) {
    batch_.begin_row(op, ordinal_++);
    return batch_;
  }
  Status end() {
    batch_.finish_row();
    return batch_.rows() < kBatchRows ? Status() : flush();
  }
  Status flush() {
    if (batch_.rows() > 0) MAIA_TRY(sink_(batch_));
    batch_.clear();
    return {};
  }

 private:
  const std::function<Status(const Batch&)>& sink_;
  Batch batch_;
  std::uint64_t ordinal_ = 0;
};

Status push_row(Collector& rows, Op op, const RowImage& image) {
  auto& batch = rows.begin(op);
  for (std::size_t i = 0; i < image.size(); ++i) {
    push_cell(op == Op::remove ? batch.mutable_before(i) : batch.mutable_after(i), image[i]);
  }
  return rows.end();
}

}  // namespace

/// The key's values, out of the texts that name it.
Result<RowImage> Inverse::key_image(const std::string& key) const {
  RowImage image(shape_->columns.size());
  ByteReader in(as_bytes(key));
  for (const auto column : key_) {
    const auto& type = shape_->columns[column].type;
    ColumnVector value(physical(type));
    MAIA_TRY(push_value_text(value, type, in.text()));
    image[column] = cell_of(value, 0);
  }
  return image;
}

Status Inverse::write_rows(const Sink& sink) {
  Collector rows(shape_, sink);
  for (const auto& [key, row] : rows_) {
    if (row.existed || !row.exists) continue;
    ++counts_.deletes;
    const auto names = MAIA_TRY(key_image(key));
    MAIA_TRY(push_row(rows, Op::remove, names));
  }
  for (const auto& [key, row] : rows_) {
    if (!row.existed) continue;
    if (lacks(row)) {
      ++counts_.lost;
      counts_.lost_example = in_words(key);
      continue;
    }
    auto image = row.image;
    const auto names = MAIA_TRY(key_image(key));
    for (const auto column : key_) image[column] = names[column];
    ++(row.exists ? counts_.updates : counts_.inserts);
    MAIA_TRY(push_row(rows, row.exists ? Op::update : Op::insert, image));
  }
  return rows.flush();
}

Status Inverse::write_keyless(const Sink& sink) {
  Collector rows(shape_, sink);
  for (const auto& [bytes, count] : counts_of_rows_) {
    for (auto n = count.net; n > 0; --n) {
      ++counts_.deletes;
      MAIA_TRY(push_row(rows, Op::remove, count.image));
    }
  }
  for (const auto& [bytes, count] : counts_of_rows_) {
    for (auto n = count.net; n < 0; ++n) {
      ++counts_.inserts;
      MAIA_TRY(push_row(rows, Op::insert, count.image));
    }
  }
  return rows.flush();
}

Status Inverse::write(const Sink& sink) { return key_.empty() ? write_keyless(sink) : write_rows(sink); }

}  // namespace maia::engine
