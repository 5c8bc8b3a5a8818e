// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/journal_reader.h"

#include <fmt/format.h>

#include <map>

#include "maia/journal/following_cursor.h"

namespace maia {

Result<std::unique_ptr<JournalReader>> JournalReader::open(Disk& disk, std::string directory) {
  std::unique_ptr<JournalReader> reader(new JournalReader(disk, std::move(directory)));
  MAIA_TRY(reader->segments());
  return reader;
}

Result<std::vector<std::uint64_t>> JournalReader::segments() {
  const auto all = journal::segment_numbers(disk_, directory_);
  if (!all.ok() || all->empty()) {
    return Error{Error::Code::invalid_config, Recovery::halt, "no journal is in " + directory_,
                 all.ok() ? "its pipeline has not run yet" : all.error().message};
  }
  // They go from the oldest on, and a listing that is made meanwhile may have some of them left out.
  auto first = all->end() - 1;
  while (first != all->begin() && *(first - 1) + 1 == *first) --first;
  std::vector<std::uint64_t> numbers(first, all->end());
  // The newest may have been made this moment, without its open record so far.
  if (numbers.size() > 1) {
    const auto newest = MAIA_TRY(journal::SegmentReader::open(disk_, directory_, numbers.back(), pool_));
    const auto open = newest->open_record();
    if (!open.ok() && open.error().code == Error::Code::corruption) {
      numbers.pop_back();
    } else if (open.ok() && open->reset) {
      numbers.erase(numbers.begin(), numbers.end() - 1);
    }
  }
  return numbers;
}

template <class Ask>
auto JournalReader::ask(Ask ask) -> decltype(ask(std::declval<journal::Lookup&>())) {
  for (;;) {
    const auto numbers = MAIA_TRY(segments());
    journal::Lookup lookup(disk_, directory_, pool_, numbers, std::nullopt);
    auto answer = ask(lookup);
    if (answer.ok() || answer.error().code != Error::Code::storage) return answer;
    if (MAIA_TRY(segments()).front() == numbers.front()) return answer;
  }
}

Result<Journal::Tail> JournalReader::tail() {
  return ask([](journal::Lookup& lookup) { return lookup.tail(); });
}

Result<Sequence> JournalReader::before_time(WallMicros moment, WallMicros now) {
  return ask([&](journal::Lookup& lookup) { return lookup.before_time(moment, now); });
}

Result<Sequence> JournalReader::up_to_position(const Position& position, const PositionOrder& order) {
  return ask([&](journal::Lookup& lookup) { return lookup.up_to_position(position, order); });
}

Result<std::vector<SchemaRef>> JournalReader::shapes() {
  const auto numbers = MAIA_TRY(segments());
  const auto reader = MAIA_TRY(journal::SegmentReader::open(disk_, directory_, numbers.back(), pool_));
  auto open = MAIA_TRY(reader->open_record());
  std::map<std::string, SchemaRef> newest;
  for (auto& schema : open.schemas) {
    auto known = pool_->intern(std::move(schema));
    newest[journal::table_key(*known)] = known;
  }
  const auto size = MAIA_TRY(reader->size());
  for (std::uint64_t offset = journal::kSegmentMagic.size(); offset < size;) {
    const auto header = reader->header(offset);
    if (!header.ok()) break;  // it is being written
    if (header->type == journal::RecordType::schema) {
      const auto schema = MAIA_TRY(reader->schema(offset));
      newest[journal::table_key(*schema)] = schema;
    }
    offset += header->bytes();
  }
  std::vector<SchemaRef> shapes;
  for (auto& [key, schema] : newest) shapes.push_back(std::move(schema));
  return shapes;
}

Result<std::unique_ptr<JournalCursor>> JournalReader::read(Sequence after) {
  return ask([&](journal::Lookup& lookup) -> Result<std::unique_ptr<JournalCursor>> {
    const auto segment = MAIA_TRY(lookup.segment_after(after));
    return std::make_unique<journal::FollowingCursor>(disk_, directory_, pool_, after, segment);
  });
}

}  // namespace maia
