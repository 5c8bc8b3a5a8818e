// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maia/base/byte_size.h"
#include "maia/base/result.h"
#include "maia/config/file_text.h"
#include "maia/config/node.h"
#include "maia/config/references.h"
#include "maia/config/setting.h"

namespace maia::config {

/// Of the whole process, where neither file nor command line says another.
inline constexpr ByteSize kUsualMemory = ByteSize::mib(512);

enum class WriteMode : std::uint8_t { upsert, append };
enum class DeleteRule : std::uint8_t { apply, soft, ignore };
enum class DriftRule : std::uint8_t { evolve, try_evolve, lenient, ignore, stop };
enum class SnapshotMode : std::uint8_t { initial, never };
enum class RowErrorRule : std::uint8_t { dead_letter, skip, stop };
enum class LaterChanges : std::uint8_t { wait, go_on };
enum class LostHistoryRule : std::uint8_t { stop, resync };
enum class ConfirmRule : std::uint8_t { delivered, journaled };

/// The columns by which rows are found: the same for every table, or by table.
struct KeySetting {
  std::vector<std::string> columns;
  std::map<std::string, std::vector<std::string>> by_table;
};

/// `from` and `to` are "schema.table" or "table", each part with at most one `*`.
struct RouteSetting {
  std::string from, to;
};

struct SourceSettings {
  std::string type;  ///< name of the connector
  Node settings;     ///< the connector's own, with its connection merged in
};

/// Exactly one of `script` and `sql` is set.
struct TransformSettings {
  std::string name;
  std::optional<std::string> script, sql;
  std::vector<std::string> tables;  ///< empty: every table that has the columns that it reads
  Mark mark;                        ///< of the text of the script or statement; line 0 if unknown
};

struct DeliverySettings {
  std::uint64_t max_rows = 100'000;
  ByteSize max_bytes = ByteSize::mib(32);
};

/// One destination: what the core does for it, and what the connector sees.
struct DestinationSettings {
  std::string name;
  std::string type;
  WriteMode mode = WriteMode::upsert;
  DeleteRule deletes = DeleteRule::apply;
  KeySetting key;
  std::vector<RouteSetting> routes;
  bool allow_merge = false;
  std::vector<TransformSettings> transforms;  ///< the pipeline's, in order, then its own
  DeliverySettings delivery;                  ///< the pipeline's, as far as it has none of its own
  Node settings;                              ///< the connector's own, without those above
};

struct SnapshotSettings {
  SnapshotMode mode = SnapshotMode::initial;
  std::uint32_t parallel = 2;
};

/// How much stays in the journal, when the source may discard what is in it, and what happens when neither
/// has what a destination lacks.
struct JournalSettings {
  std::chrono::microseconds retain_age = std::chrono::hours(24);
  ByteSize retain_bytes = ByteSize::gib(1);
  std::optional<ByteSize> max_bytes;
  bool drop_behind = false;
  ConfirmRule confirm = ConfirmRule::delivered;
  LostHistoryRule on_lost_history = LostHistoryRule::stop;  ///< a setting of the pipeline itself
  ByteSize retain_at_source = ByteSize::gib(8);
};

/// What a change of a table's shape at the source does; the optional ones override `on_drift`.
struct SchemaSettings {
  DriftRule on_drift = DriftRule::evolve;
  std::optional<DriftRule> add_column, drop_column, rename_column, change_type, change_nullability,
      change_default, change_key;
};

/// What becomes of rows that fail; the optional ones override `policy` for one stage.
struct ErrorSettings {
  RowErrorRule policy = RowErrorRule::dead_letter;
  std::optional<RowErrorRule> transform, write;
  LaterChanges later_changes = LaterChanges::wait;
  std::uint64_t max_dead_letters = 1000;
};

/// Rows before and after the transforms, for `maia test`. Rows are mappings from column to value.
struct ExampleSettings {
  std::string name;
  std::string table;
  std::string destination;  ///< whose own transforms the rows go through too; "" for none
  std::vector<Node> input, output;
};

struct PipelineSettings {
  std::string name;
  Mark mark;
  ByteSize memory_limit = kUsualMemory;
  SourceSettings source;
  std::vector<TransformSettings> transforms;
  std::vector<DestinationSettings> destinations;  ///< at least one; names are unique
  SnapshotSettings snapshot;
  DeliverySettings delivery;
  JournalSettings journal;
  SchemaSettings schema;
  ErrorSettings errors;
  std::vector<ExampleSettings> tests;
  /// The same as the file had it when it was read, with its references resolved anew: passwords may have
  /// changed since. Empty if there is no file.
  std::function<Result<PipelineSettings>()> resolve_again = {};
  std::shared_ptr<const FileText> file;  ///< where it stands; null if it was never text
};

struct PipelineFile {
  std::vector<PipelineSettings> pipelines;  ///< at least one; names are unique
};

/// What a pipeline file may name under `type:`.
struct ConnectorSettings {
  std::string name;
  std::vector<Setting> source;       ///< empty: not a source
  std::vector<Setting> destination;  ///< empty: not a destination
};

/// Reads the whole model, connector settings included, out of a document whose references are resolved.
/// Code::invalid_config with the place for whatever is not right. `default_name` is the name of a single
/// pipeline without one.
Result<PipelineFile> read_pipelines(const Node& document, std::span<const ConnectorSettings> connectors,
                                    const std::string& default_name);

/// Reads, parses, resolves and checks a file; a pipeline without a name is called like the file.
Result<PipelineFile> load_pipeline_file(const std::string& path,
                                        std::span<const ConnectorSettings> connectors,
                                        const Environment& environment);

/// The same for a text that stands in no file now; `path` is where it belongs.
Result<PipelineFile> parse_pipeline_file(std::string text, const std::string& path,
                                         std::span<const ConnectorSettings> connectors,
                                         const Environment& environment);

}  // namespace maia::config
