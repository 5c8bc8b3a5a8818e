// SPDX-License-Identifier: Apache-2.0
// links: maia_config
// A pipeline file of any bytes is read or refused with a place; what was parsed is written so that it parses
// back to the same.
#include <cstdlib>
#include <string>
#include <string_view>

#include "maia/config/json.h"
#include "maia/config/pipeline_file.h"
#include "maia/config/yaml.h"

namespace {

using maia::config::ConnectorSettings;
using Kind = maia::config::Setting::Kind;

const std::vector<ConnectorSettings>& connectors() {
  static const std::vector<ConnectorSettings> all = {
      {.name = "postgres",
       .source = {{.name = "host"},
                  {.name = "port", .kind = Kind::integer, .minimum = 1},
                  {.name = "password", .kind = Kind::secret},
                  {.name = "tables", .kind = Kind::list}},
       .destination = {{.name = "host"}}},
      {.name = "duckdb", .source = {}, .destination = {{.name = "path", .required = true}}},
  };
  return all;
}

void require(bool holds) {
  if (!holds) std::abort();
}

void check_round_trip(const maia::config::Node& document) {
  const auto again = maia::config::parse_yaml(maia::config::to_yaml(document), "again");
  require(again.ok());
  require(maia::config::to_json(document) == maia::config::to_json(*again));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  auto document = maia::config::parse_yaml(text, "f");
  if (!document.ok()) {
    require(document.error().message.starts_with("f:"));
    return 0;
  }
  check_round_trip(*document);
  if (text.find("file:") != text.npos) return 0;  // the fuzzer may not read files of its choice
  const auto environment = [](const std::string&) { return std::optional<std::string>("5"); };
  if (!maia::config::resolve_references(*document, environment).ok()) return 0;
  const auto file = maia::config::read_pipelines(*document, connectors(), "fuzz");
  if (!file.ok()) require(file.error().code == maia::Error::Code::invalid_config);
  return 0;
}
