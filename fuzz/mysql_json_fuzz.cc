// SPDX-License-Identifier: Apache-2.0
// links: maia_mysql
// MySQL's binary JSON, and differences of it: the first byte is the document's length.
#include <algorithm>
#include <cstdint>
#include <string>

#include "maia/connectors/mysql/json_node.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace maia;
  if (size == 0) return 0;
  const ByteView in(bytes + 1, size - 1);
  const auto length = std::min<std::size_t>(bytes[0], in.size());
  auto document = mysql::parse_json(in.first(length));
  if (!document.ok()) return 0;
  std::string text;
  mysql::append_json(text, *document);
  if (mysql::apply_json_differences(*document, in.subspan(length)).ok()) mysql::append_json(text, *document);
  return 0;
}
