// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "maia/journal/schema_codec.h"

namespace maia::journal {
namespace {

constexpr std::string_view kSuffix = ".journal";
constexpr std::size_t kDigits = 20;

Error bad(const char* reason) { return {Error::Code::corruption, Recovery::halt, reason, ""}; }

}  // namespace

std::string segment_path(const std::string& directory, std::uint64_t number) {
  return fmt::format("{}/{:0{}}{}", directory, number, kDigits, kSuffix);
}

std::optional<std::uint64_t> segment_number(std::string_view file_name) {
  if (file_name.size() != kDigits + kSuffix.size() || !file_name.ends_with(kSuffix)) return {};
  std::uint64_t number = 0;
  const auto* last = file_name.data() + kDigits;
  const auto [end, error] = std::from_chars(file_name.data(), last, number);
  if (error != std::errc{} || end != last) return {};
  return number;
}

Result<std::vector<std::uint64_t>> segment_numbers(Disk& disk, const std::string& directory) {
  std::vector<std::uint64_t> numbers;
  for (const auto& name : MAIA_TRY(disk.list(directory))) {
    if (const auto number = segment_number(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string table_key(const TableSchema& schema) {
  return schema.id.empty() ? "name:" + to_string(schema.name) : "id:" + schema.id;
}

Bytes encode_open(const SegmentOpen& open) {
  Bytes payload;
  ByteWriter out(payload);
  out.u64(open.base.value);
  out.text(open.position.token);
  out.u8(open.reset ? 1 : 0);
  out.varint(open.schemas.size());
  for (const auto& schema : open.schemas) {
    Bytes one;
    ByteWriter writer(one);
    encode_schema(writer, schema);
    out.text(as_text(one));
  }
  return payload;
}

Result<SegmentOpen> decode_open(ByteView payload) {
  ByteReader in(payload);
  SegmentOpen open;
  open.base.value = in.u64();
  open.position.token = in.text();
  const auto reset = in.u8();
  if (reset > 1) in.fail();
  open.reset = reset == 1;
  const auto schemas = in.count(1);
  for (std::size_t i = 0; i < schemas && in.ok(); ++i) {
    open.schemas.push_back(MAIA_TRY(decode_schema(as_bytes(in.text()))));
  }
  if (!in.finished()) return bad("the open record is not valid");
  return open;
}

void CommitSpan::add(const Transaction& transaction) {
  const auto time = transaction.committed_at;
  first = transactions == 0 ? time : std::min(first, time);
  last = transactions == 0 ? time : std::max(last, time);
  ++transactions;
}

Bytes encode_end(const SegmentEnd& end) {
  Bytes payload;
  ByteWriter out(payload);
  out.u64(end.last.value);
  out.text(end.position.token);
  out.u64(end.needs_from);
  out.i64(end.span.first);
  out.i64(end.span.last);
  out.u64(end.span.transactions);
  out.u64(end.offset);
  return payload;
}

Result<SegmentEnd> decode_end(ByteView payload) {
  ByteReader in(payload);
  SegmentEnd end;
  end.last.value = in.u64();
  end.position.token = in.text();
  end.needs_from = in.u64();
  end.span.first = in.i64();
  end.span.last = in.i64();
  end.span.transactions = in.u64();
  end.offset = in.u64();
  if (!in.finished()) return bad("the end record is not valid");
  return end;
}

Bytes encode_commit(const CommitRecord& commit) {
  Bytes payload;
  ByteWriter out(payload);
  encode_transaction(out, commit.transaction);
  out.varint(commit.fragments.size());
  for (const auto& fragment : commit.fragments) {
    out.varint(fragment.place.segment);
    out.varint(fragment.place.offset);
    out.varint(fragment.keep_below);
  }
  out.varint(commit.schemas.size());
  for (const auto number : commit.schemas) out.varint(number);
  out.varint(commit.dropped.size());
  for (const auto& key : commit.dropped) out.text(key);
  return payload;
}

Result<CommitRecord> decode_commit(ByteView payload) {
  ByteReader in(payload);
  CommitRecord commit;
  commit.transaction = decode_transaction(in);
  const auto fragments = in.count(3);
  for (std::size_t i = 0; i < fragments && in.ok(); ++i) {
    FragmentRef ref;
    ref.place.segment = in.varint();
    ref.place.offset = in.varint();
    ref.keep_below = in.varint();
    commit.fragments.push_back(ref);
  }
  const auto schemas = in.count(1);
  for (std::size_t i = 0; i < schemas && in.ok(); ++i) commit.schemas.push_back(in.varint());
  const auto dropped = in.count(1);
  for (std::size_t i = 0; i < dropped && in.ok(); ++i) commit.dropped.emplace_back(in.text());
  if (!in.finished()) return bad("the commit record is not valid");
  return commit;
}

}  // namespace maia::journal
