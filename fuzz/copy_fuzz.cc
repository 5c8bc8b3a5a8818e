// SPDX-License-Identifier: Apache-2.0
// links: maia_postgres
// A COPY TO STDOUT, text or binary, cut into chunks: however it is cut, the rows and the verdict are the
// same.
#include <cstdint>
#include <memory>
#include <string>

#include "maia/base/assert.h"
#include "maia/connectors/postgres/builtin_types.h"
#include "maia/connectors/postgres/copy_decoder.h"
#include "maia/connectors/postgres/wire.h"

namespace {

using namespace maia;
using namespace maia::postgres;

struct Columns {
  SchemaRef schema;
  std::vector<ValueDecoder> decoders;
};

const Columns& columns() {
  static const Columns kColumns = [] {
    Columns made;
    TableSchema schema{.id = "1", .name = {"", "copied"}};
    constexpr std::int32_t kNumeric_10_2 = ((10 << 16) | 2) + 4;
    for (const NativeType& type : {NativeType{.oid = oid::kInt4}, NativeType{.oid = oid::kText},
                                   NativeType{.oid = oid::kNumeric, .typmod = kNumeric_10_2},
                                   NativeType{.oid = oid::kNumeric}, NativeType{.oid = oid::kTimestamptz},
                                   NativeType{.oid = oid::kJsonb}, NativeType{.oid = oid::kVarbit}}) {
      const auto mapped = map_type(type);
      schema.columns.push_back({.name = "c" + std::to_string(schema.columns.size()), .type = mapped.type});
      made.decoders.emplace_back(mapped);
    }
    made.schema = std::make_shared<const TableSchema>(std::move(schema));
    return made;
  }();
  return kColumns;
}

struct Outcome {
  bool ok = true;
  Batch batch{columns().schema};
};

Outcome decode(CopyFormat format, std::string_view bytes, std::size_t chunk) {
  Outcome outcome;
  CopyDecoder decoder(format, columns().decoders);
  while (outcome.ok && !bytes.empty()) {
    const auto piece = bytes.substr(0, chunk);
    bytes.remove_prefix(piece.size());
    outcome.ok = decoder.feed(as_bytes(piece), outcome.batch).ok();
  }
  outcome.ok = outcome.ok && decoder.finish().ok();
  MAIA_ASSERT(outcome.batch.rows() == decoder.rows());
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint8_t kBinary = 0x80;
  if (size < 1) return 0;
  const auto format = (data[0] & kBinary) != 0 ? CopyFormat::binary : CopyFormat::text;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto cut = decode(format, bytes, 1u + (data[0] & 0x7f));
  const auto whole = decode(format, bytes, bytes.size());
  MAIA_ASSERT(cut.ok == whole.ok);
  MAIA_ASSERT(cut.batch.rows() == whole.batch.rows());
  for (std::size_t i = 0; i < cut.batch.columns(); ++i) {
    MAIA_ASSERT(cut.batch.after(i).valid() == whole.batch.after(i).valid());
    MAIA_ASSERT(cut.batch.after(i).fixed_bytes() == whole.batch.after(i).fixed_bytes());
    MAIA_ASSERT(cut.batch.after(i).chars() == whole.batch.after(i).chars());
  }
  return 0;
}
