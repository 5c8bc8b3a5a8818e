// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/file/checkpoint_file.h"

#include <algorithm>
#include <filesystem>

namespace maia::file {
namespace {

constexpr std::string_view kMagic = "maia file checkpoint 2\n";
constexpr std::uint64_t kMostBytes = 256u << 20;

}  // namespace

Bytes encode(const SavedCheckpoint& saved) {
  Bytes out;
  ByteWriter writer(out);
  writer.bytes(as_bytes(kMagic));
  writer.text(saved.pipeline);
  writer.u64(saved.epoch.value);
  writer.text(saved.taken_by);
  writer.u64(saved.data_bytes);
  writer.u64(saved.checkpoint.sequence.value);
  writer.text(saved.checkpoint.position.token);
  writer.text(saved.checkpoint.seal);
  writer.varint(saved.checkpoint.facts.size());
  for (const auto& [name, value] : saved.checkpoint.facts) {
    writer.text(name);
    writer.text(value);
  }
  return out;
}

Result<SavedCheckpoint> decode(ByteView bytes) {
  ByteReader reader(bytes);
  SavedCheckpoint saved;
  const bool ours = as_text(reader.bytes(kMagic.size())) == kMagic;
  saved.pipeline = reader.text();
  saved.epoch.value = reader.u64();
  saved.taken_by = reader.text();
  saved.data_bytes = reader.u64();
  saved.checkpoint.sequence.value = reader.u64();
  saved.checkpoint.position.token = reader.text();
  saved.checkpoint.seal = reader.text();
  for (auto facts = reader.varint(); facts > 0 && reader.ok(); --facts) {
    std::string name(reader.text());
    saved.checkpoint.facts[std::move(name)] = reader.text();
  }
  if (ours && reader.finished()) return saved;
  return Error{Error::Code::corruption, Recovery::halt, "the checkpoint is damaged",
               "Restore it from a copy, or remove it together with the data file to begin again"};
}

Result<std::optional<SavedCheckpoint>> load_checkpoint(Disk& disk, const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return std::optional<SavedCheckpoint>();
  const auto file = MAIA_TRY(disk.open(path, Disk::Open::existing));
  const auto size = MAIA_TRY(file->size());
  Bytes bytes(std::min(size, kMostBytes));
  bytes.resize(MAIA_TRY(file->read(0, bytes)));
  auto saved = MAIA_TRY(in(path, decode(bytes)));
  return std::optional<SavedCheckpoint>(std::move(saved));
}

Status save_checkpoint(Disk& disk, const std::string& path, const SavedCheckpoint& saved) {
  const auto fresh = path + ".new";
  std::error_code error;
  if (std::filesystem::exists(fresh, error)) MAIA_TRY(disk.remove(fresh));
  const auto file = MAIA_TRY(disk.open(fresh, Disk::Open::create));
  MAIA_TRY(file->append(encode(saved)));
  MAIA_TRY(file->sync());
  MAIA_TRY(disk.rename(fresh, path));
  const auto folder = std::filesystem::path(path).parent_path().string();
  return disk.sync_directory(folder.empty() ? "." : folder);
}

}  // namespace maia::file
