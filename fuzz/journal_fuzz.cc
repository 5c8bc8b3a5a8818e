// SPDX-License-Identifier: Apache-2.0
// links: maia_journal maia_testing
// The first byte says what the rest is: a window's payload, a schema's, or a whole segment file. Whatever the
// bytes are, they are read or refused as corrupt. A segment that is taken can be read to its end, and
// appended to.
#include <cstdint>
#include <memory>

#include "maia/base/assert.h"
#include "maia/journal/batch_codec.h"
#include "maia/journal/local_journal.h"
#include "maia/journal/schema_codec.h"
#include "maia/testing/fault_disk.h"

namespace {

using namespace maia;

SchemaRef table() {
  auto made = std::make_shared<TableSchema>();
  made->name = {"public", "t"};
  for (std::uint8_t id = 1; id <= 16; ++id) {
    made->columns.push_back({.name = "c" + std::to_string(id), .type = Type::of(TypeId{id}), .id = {}});
    made->columns.back().type.precision =
        TypeId{id} == TypeId::decimal ? std::uint16_t{10} : std::uint16_t{0};
  }
  return made;
}

void check(const Error& error) { MAIA_ASSERT(error.code == Error::Code::corruption); }

void read_window(ByteView bytes) {
  static const auto schema = table();
  const auto window = journal::decode_window(bytes, [](std::uint64_t number) -> Result<SchemaRef> {
    if (number == 1) return schema;
    return Error{Error::Code::corruption, Recovery::halt, "no such schema", ""};
  });
  if (!window.ok()) return check(window.error());
  Bytes again;
  ByteWriter out(again);
  const auto one = [](const SchemaRef&) -> Result<std::uint64_t> { return std::uint64_t{1}; };
  MAIA_ASSERT(journal::encode_window(out, *window, one).ok());
  const auto reread =
      journal::decode_window(again, [](std::uint64_t) -> Result<SchemaRef> { return schema; });
  MAIA_ASSERT(reread.ok());
  MAIA_ASSERT(reread->rows() == window->rows());
}

void read_segment(ByteView bytes) {
  testing::FaultDisk disk;
  disk.put("j/00000000000000000001.journal", Bytes(bytes.begin(), bytes.end()));
  auto opened = LocalJournal::open(disk, {"j"});
  if (!opened.ok()) return check(opened.error());
  const auto tail = (*opened)->tail();
  auto cursor = (*opened)->read(Sequence{tail.first.value - 1});
  MAIA_ASSERT(cursor.ok());
  for (;;) {
    const auto next = (*cursor)->next(std::chrono::milliseconds(0), {});
    if (!next.ok()) return check(next.error());
    if (!*next) break;
  }
  MAIA_ASSERT((*opened)->append({StreamEvent::Idle{Position{"p"}}}).ok());
  MAIA_ASSERT((*opened)->sync().ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0: read_window(rest); break;
    case 1:
      if (const auto schema = journal::decode_schema(rest); !schema.ok()) check(schema.error());
      break;
    case 2: read_segment(rest); break;
  }
  return 0;
}
