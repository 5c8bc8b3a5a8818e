// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "maia/base/clock.h"
#include "maia/codec/json_writer.h"
#include "maia/connector/destination.h"
#include "maia/connectors/file/checkpoint_file.h"
#include "maia/connectors/file/config.h"
#include "maia/connectors/file/output.h"

namespace maia::file {

/// Appends changes as JSON lines. The checkpoint lies in `<path>.checkpoint` and says how long the file was
/// at its time; what a run that ended in between has appended beyond it is cut off when the file is opened
/// again. For standard output the checkpoint lies in the state directory and nothing can be cut off.
class FileDestination final : public Destination {
 public:
  FileDestination(Config config, std::string state_directory, Clock& clock);

  std::vector<ColumnMapping> plan(const TableSchema& schema) const override;
  Result<Findings> check() override;
  using Destination::open;
  Result<Opened> open(std::string_view pipeline, Epoch held) override;
  Status begin() override { return {}; }
  Status prepare(const TableTarget&) override { return {}; }
  Status alter(const TableTarget& before, const TableTarget& after, const SchemaChange& change) override;
  Status truncate(std::span<const TableTarget* const> targets, const Truncate& truncate) override;
  Status write(std::span<const Delivery> deliveries) override;
  Status commit(const CheckpointUpdate& update) override;
  void rollback() override;
  Result<std::vector<std::string>> drop(std::string_view pipeline) override;

 private:
  std::string checkpoint_path(std::string_view pipeline) const;
  Status take_over(std::string_view pipeline, Epoch held, std::optional<SavedCheckpoint> saved);
  Error fenced(const std::optional<SavedCheckpoint>& saved) const;
  const codec::JsonWriter& writer_of(const TableTarget& target);
  Status flush();

  const Config config_;
  const std::string state_directory_;
  Clock& clock_;
  Disk& disk_ = system_disk();

  std::unique_ptr<Output> output_;
  std::string checkpoint_path_;
  SavedCheckpoint saved_;  ///< as durable
  std::string lines_;      ///< not yet written
  std::map<std::pair<TableName, SchemaRef>, codec::JsonWriter> writers_;
};

}  // namespace maia::file
