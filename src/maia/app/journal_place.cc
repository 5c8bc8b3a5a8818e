// SPDX-License-Identifier: Apache-2.0
#include "maia/app/journal_place.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "maia/app/moment.h"
#include "maia/app/state_directory.h"
#include "maia/base/disk.h"
#include "maia/config/scalar.h"

namespace maia::app {
namespace {

constexpr std::string_view kJournal = "/journal";

Error refused(std::string message, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, std::move(message), std::move(hint)};
}

/// The pipelines of a state directory that have a journal.
std::vector<std::string> pipelines_in(const std::string& state) {
  std::vector<std::string> names;
  const auto all = system_disk().list(state);
  if (!all.ok()) return names;
  for (const auto& name : *all) {
    if (system_disk().list(pipeline_directory(state, name) + std::string(kJournal)).ok())
      names.push_back(name);
  }
  return names;
}

bool is_at(const Position& position, std::string_view text) {
  const std::string_view token = position.token;
  if (token == text) return true;
  return token.ends_with(text) && token.size() > text.size() && token[token.size() - text.size() - 1] == '/';
}

/// The sequence of the transaction at a position that people have seen; found by reading all that is there.
Result<Sequence> find_position(JournalReader& reader, const std::string& text) {
  const auto tail = MAIA_TRY(reader.tail());
  auto cursor = MAIA_TRY(reader.read(Sequence{tail.first.value - 1}));
  for (;;) {
    const auto window = MAIA_TRY(cursor->next(std::chrono::milliseconds(0), {}));
    if (!window || (*window)->sequence > tail.sequence) break;
    if (is_at((*window)->end, text)) return (*window)->sequence;
    for (const auto& transaction : (*window)->transactions) {
      if (is_at(transaction.position, text)) return Sequence{(*window)->sequence.value - 1};
    }
  }
  return refused(
      fmt::format("'{}' is neither a time nor a position that this journal holds", text),
      fmt::format("write an age such as 10m, a time with its offset, such as 2026-11-24 10:00:00+00, a "
                  "sequence from #{} to #{}, or a position as maia tail shows it",
                  tail.first.value, tail.sequence.value));
}

}  // namespace

Result<std::string> journal_directory(const JournalPlace& place, const Outside& outside) {
  if (!place.directory.empty()) {
    if (place.pipeline.empty()) return place.directory;
    return refused("both a pipeline and --journal are given", "name one of them");
  }
  const auto state = MAIA_TRY(state_directory(place.state, outside.environment));
  const auto names = pipelines_in(state);
  if (place.pipeline.empty() && names.size() == 1) {
    return pipeline_directory(state, names[0]) + std::string(kJournal);
  }
  if (std::find(names.begin(), names.end(), place.pipeline) != names.end()) {
    return pipeline_directory(state, place.pipeline) + std::string(kJournal);
  }
  const auto known = names.empty() ? "there is none yet; --state or --journal may name another place"
                                   : fmt::format("there are: {}", fmt::join(names, ", "));
  if (place.pipeline.empty()) {
    return refused(names.empty() ? "no pipeline has a journal in " + state
                                 : "several pipelines have a journal in " + state,
                   known);
  }
  return refused(fmt::format("the pipeline {} has no journal in {}", place.pipeline, state), known);
}

Result<Sequence> sequence_of(JournalReader& reader, const std::string& text, WallMicros now) {
  if (text.starts_with('#')) {
    const auto number = config::parse_integer(std::string_view(text).substr(1));
    if (!number || *number < 1) return refused(fmt::format("'{}' is no sequence", text), "write it as #1234");
    return Sequence{static_cast<std::uint64_t>(*number) - 1};
  }
  const auto moment = MAIA_TRY(parse_moment(text, now));
  return moment.time ? reader.before_time(*moment.time, now) : find_position(reader, moment.position);
}

}  // namespace maia::app
