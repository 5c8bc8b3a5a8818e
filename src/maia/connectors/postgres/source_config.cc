// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/source_config.h"

#include <fmt/format.h>

namespace maia::postgres {

const config::Spec<SourceConfig>& source_spec() {
  static const auto spec =
      config::Spec<SourceConfig>()
          .include(&SourceConfig::connection, net::connection_spec())
          .add("tables", &SourceConfig::tables,
               "Tables to take: names, schema.name, patterns with * and ?, and exclusions with ! in front. "
               "Absent: every table of the database.")
          .example("[customers, \"sales.*\", \"!sales.tmp_*\"]")
          .add("publication", &SourceConfig::publication,
               "Publication to read. Absent: maia_<pipeline>. Made if it does not exist.")
          .add("slot", &SourceConfig::slot,
               "Replication slot to read. Absent: maia_<pipeline>. Made if it does not exist.")
          .add("replication", &SourceConfig::replication,
               "How changes are captured; `logical` is the one way.")
          .advanced()
          .add("create_missing", &SourceConfig::create_missing,
               "Make publication and slot if they do not exist. If false, their absence is an error that has "
               "the statements.")
          .advanced()
          .add("origin", &SourceConfig::origin,
               "Which changes to take, by where they were made first: `any`, or with `none` only those that "
               "did not reach the source by replication itself. The snapshot takes all rows in either case. "
               "`none` needs PostgreSQL 16.")
          .advanced()
          .add("chunk_size", &SourceConfig::chunk_size,
               "How much of a table one piece of a snapshot reads. Smaller pieces lose less work in a "
               "restart.")
          .between(ByteSize::mib(1), ByteSize::gib(4))
          .advanced()
          .add("decoding_memory", &SourceConfig::decoding_memory,
               "Memory that the server may use to decode changes before it streams or spills a transaction "
               "(logical_decoding_work_mem).")
          .between(ByteSize::mib(1), ByteSize::gib(64))
          .advanced()
          .rule([](const SourceConfig& c) -> Status {
            if (c.replication == "logical") return {};
            return Error{Error::Code::invalid_config, Recovery::halt,
                         "replication: '" + c.replication + "' is not known",
                         "write `logical`, or leave it out"};
          });
  return spec;
}

std::string name_for_pipeline(std::string_view pipeline) {
  constexpr std::size_t kMost = 63;  // NAMEDATALEN - 1
  std::string name = "maia_";
  bool altered = false;
  std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
  for (const char c : pipeline) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    name += fits ? c : '_';
    altered = altered || !fits;
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  if (!altered && name.size() <= kMost) return name;
  const auto mark = fmt::format("_{:08x}", static_cast<std::uint32_t>(hash ^ (hash >> 32)));
  name.resize(std::min(name.size(), kMost - mark.size()));
  return name + mark;
}

}  // namespace maia::postgres
