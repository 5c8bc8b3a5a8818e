// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/file/destination.h"

#include <fmt/format.h>
#include <unistd.h>

#include "maia/base/this_process.h"
#include "maia/codec/change_walk.h"
#include "maia/connector/rows_in_order.h"

namespace maia::file {
namespace {

constexpr std::size_t kFlushBytes = 1u << 20;
constexpr std::size_t kMostWriters = 1000;

}  // namespace

FileDestination::FileDestination(Config config, std::string state_directory, Clock& clock)
    : config_(std::move(config)), state_directory_(std::move(state_directory)), clock_(clock) {}

std::string FileDestination::checkpoint_path(std::string_view pipeline) const {
  if (!config_.to_stdout()) return config_.path + ".checkpoint";
  return fmt::format("{}/{}.stdout.checkpoint", state_directory_, pipeline);
}

Result<Destination::Opened> FileDestination::open(std::string_view pipeline, Epoch held) {
  if (config_.to_stdout()) {
    MAIA_TRY(disk_.make_directories(state_directory_));
    output_ = descriptor_output(STDOUT_FILENO);
  } else {
    output_ = MAIA_TRY(open_file_output(disk_, config_.path));
  }
  checkpoint_path_ = checkpoint_path(pipeline);
  auto saved = MAIA_TRY(load_checkpoint(disk_, checkpoint_path_));
  MAIA_TRY(take_over(pipeline, held, std::move(saved)));
  return Opened{saved_.epoch, saved_.checkpoint};
}

Error FileDestination::fenced(const std::optional<SavedCheckpoint>& saved) const {
  return Error{
      Error::Code::fenced, Recovery::halt,
      saved ? fmt::format("a newer run of the pipeline writes to {}: {}", config_.path, saved->taken_by)
            : fmt::format("the checkpoint of {} was removed while it was written to", config_.path),
      "Stop one of the two runs"};
}

Status FileDestination::take_over(std::string_view pipeline, Epoch held,
                                  std::optional<SavedCheckpoint> saved) {
  if (held.value != 0) {
    // A newer epoch is our own where the disk failed just after it was written.
    const bool own = saved && saved->epoch > held && saved->taken_by == this_process();
    if (!saved || (saved->epoch != held && !own)) return fenced(saved);
  }
  const auto size = MAIA_TRY(output_->size());
  if (!saved && size > 0) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("{} has content that MAIA did not write", config_.path),
                 "Choose another path, or move the file away"};
  }
  if (saved && saved->pipeline != pipeline) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("{} belongs to the pipeline {}", config_.path, saved->pipeline),
                 "Give each pipeline a path of its own"};
  }
  if (saved && size < saved->data_bytes) {
    return Error{
        Error::Code::lost_history, Recovery::halt,
        fmt::format("{} has {} bytes, but {} had been written", config_.path, size, saved->data_bytes),
        fmt::format("Put the file back as it was, or remove {} too, to begin again", checkpoint_path_)};
  }
  saved_ = saved ? *std::move(saved) : SavedCheckpoint{};
  saved_.pipeline = pipeline;
  ++saved_.epoch.value;
  saved_.taken_by = this_process();
  MAIA_TRY(output_->truncate(saved_.data_bytes));
  return save_checkpoint(disk_, checkpoint_path_, saved_);
}

Status FileDestination::alter(const TableTarget&, const TableTarget&, const SchemaChange&) {
  writers_.clear();
  return {};
}

const codec::JsonWriter& FileDestination::writer_of(const TableTarget& target) {
  const std::pair key(target.name, target.schema);
  if (const auto found = writers_.find(key); found != writers_.end()) return found->second;
  if (writers_.size() >= kMostWriters) writers_.clear();
  const codec::ChangeOrigin origin{.connector = "maia", .name = saved_.pipeline, .database = {}};
  return writers_.emplace(key, codec::JsonWriter(config_.format, origin, target.name, *target.schema))
      .first->second;
}

Status FileDestination::truncate(std::span<const TableTarget* const> targets, const Truncate&) {
  for (const auto* target : targets) {
    writer_of(*target).append_truncate(lines_, clock_.wall());
    lines_ += '\n';
  }
  return flush();
}

Status FileDestination::write(std::span<const Delivery> deliveries) {
  const auto now = clock_.wall();
  return rows_in_order(deliveries, [&](const Delivery& delivery, std::size_t row) -> Status {
    const auto& batch = *delivery.batch;
    const auto& transaction = codec::transaction_at(delivery.transactions, batch.ordinal(row));
    writer_of(*delivery.target).append_row(lines_, batch, row, transaction, now);
    lines_ += '\n';
    return lines_.size() >= kFlushBytes ? flush() : Status{};
  });
}

Status FileDestination::flush() {
  MAIA_TRY(output_->append(lines_));
  lines_.clear();
  return {};
}

Status FileDestination::commit(const CheckpointUpdate& update) {
  const auto on_disk = MAIA_TRY(load_checkpoint(disk_, checkpoint_path_));
  if (!on_disk || on_disk->epoch != saved_.epoch) return fenced(on_disk);
  MAIA_TRY(flush());
  MAIA_TRY(output_->sync());
  auto next = saved_;
  next.data_bytes = MAIA_TRY(output_->size());
  next.checkpoint.sequence = update.sequence;
  next.checkpoint.position = update.position;
  next.checkpoint.seal = update.seal;
  for (const auto& [name, value] : update.facts) {
    if (value) {
      next.checkpoint.facts[name] = *value;
    } else {
      next.checkpoint.facts.erase(name);
    }
  }
  MAIA_TRY(save_checkpoint(disk_, checkpoint_path_, next));
  saved_ = std::move(next);
  return {};
}

void FileDestination::rollback() {
  lines_.clear();
  // If this fails, the tail is cut off when the file is opened again.
  if (output_) static_cast<void>(output_->truncate(saved_.data_bytes).ok());
}

Result<std::vector<std::string>> FileDestination::drop(std::string_view pipeline) {
  const auto path = checkpoint_path(pipeline);
  const auto saved = MAIA_TRY(load_checkpoint(disk_, path));
  if (!saved || saved->pipeline != pipeline) return std::vector<std::string>();
  MAIA_TRY(disk_.remove(path));
  return std::vector<std::string>{"checkpoint " + path};
}

}  // namespace maia::file
