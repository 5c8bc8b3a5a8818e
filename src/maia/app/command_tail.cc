// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "maia/app/change_record.h"
#include "maia/app/commands.h"
#include "maia/app/journal_place.h"
#include "maia/base/disk.h"
#include "maia/codec/change_walk.h"
#include "maia/codec/json_writer.h"

namespace maia::app {
namespace {

constexpr std::chrono::milliseconds kWait{200};

bool names(const std::string& given, const TableName& table) {
  return given == to_string(table) || given == table.table;
}

/// Which changes are wanted.
class Filter {
 public:
  explicit Filter(const TailArguments& arguments) : arguments_(arguments) {}

  bool takes(const Window::Item& item, std::size_t row) const {
    if (const auto* batch = std::get_if<Batch>(&item)) {
      if (!takes_op(op_word(batch->op(row))) || !takes_table(batch->schema()->name)) return false;
      return arguments_.keys.empty() || takes_key(*batch, row);
    }
    if (!arguments_.keys.empty()) return false;
    if (const auto* truncate = std::get_if<Truncate>(&item)) {
      const auto& tables = truncate->tables;
      return takes_op("truncate") && std::any_of(tables.begin(), tables.end(),
                                                 [&](const auto& table) { return takes_table(table->name); });
    }
    const auto& change = std::get<SchemaChange>(item);
    const auto& shape = change.after ? change.after : change.before;
    return takes_op("schema") && shape && takes_table(shape->name);
  }

 private:
  bool takes_op(std::string_view op) const {
    return arguments_.ops.empty() ||
           std::find(arguments_.ops.begin(), arguments_.ops.end(), op) != arguments_.ops.end();
  }
  bool takes_table(const TableName& table) const {
    const auto& wanted = arguments_.tables;
    return wanted.empty() ||
           std::any_of(wanted.begin(), wanted.end(), [&](const auto& each) { return names(each, table); });
  }
  /// By the key before the change or the one after it.
  bool takes_key(const Batch& batch, std::size_t row) const {
    const auto wanted = [&](const std::optional<std::string>& key) {
      return key && std::find(arguments_.keys.begin(), arguments_.keys.end(), *key) != arguments_.keys.end();
    };
    return wanted(key_text(batch, row)) || wanted(new_key_text(batch, row));
  }

  const TailArguments& arguments_;
};

class Printer {
 public:
  Printer(const TailArguments& arguments, std::ostream& out) : arguments_(arguments), out_(out) {}

  void print(const Window& window, const codec::ChangePlace& place) {
    using Format = TailArguments::Format;
    if (arguments_.format == Format::debezium) return print_envelope(window, place);
    const auto record = change_record(window, place.item, place.row);
    out_ << (arguments_.format == Format::json ? to_json(record)
                                               : to_text(record, window, place.item, place.row))
         << '\n';
  }

 private:
  void print_envelope(const Window& window, const codec::ChangePlace& place) {
    const auto now = system_clock().wall();
    line_.clear();
    if (const auto* batch = std::get_if<Batch>(&window.items[place.item])) {
      const auto& transaction = codec::transaction_at(window.transactions, place.ordinal);
      writer_of(batch->schema()).append_row(line_, *batch, place.row, transaction, now);
      out_ << line_ << '\n';
    } else if (const auto* truncate = std::get_if<Truncate>(&window.items[place.item])) {
      for (const auto& table : truncate->tables) {
        line_.clear();
        writer_of(table).append_truncate(line_, now);
        out_ << line_ << '\n';
      }
    }
  }
  const codec::JsonWriter& writer_of(const SchemaRef& schema) {
    const auto found = writers_.find(schema);
    if (found != writers_.end()) return found->second;
    const codec::ChangeOrigin origin{.connector = "maia", .name = arguments_.place.pipeline, .database = {}};
    return writers_
        .emplace(schema, codec::JsonWriter(codec::JsonForm::debezium, origin, schema->name, *schema))
        .first->second;
  }

  const TailArguments& arguments_;
  std::ostream& out_;
  std::map<SchemaRef, codec::JsonWriter> writers_;
  std::string line_;
};

Result<Sequence> begin(const TailArguments& arguments, JournalReader& reader, const Journal::Tail& tail) {
  if (!arguments.from.empty()) return sequence_of(reader, arguments.from, system_clock().wall());
  return arguments.until_now ? Sequence{tail.first.value - 1} : tail.sequence;
}

}  // namespace

Result<ExitCode> execute(const TailArguments& arguments, Outside& outside) {
  const auto directory = MAIA_TRY(journal_directory(arguments.place, outside));
  const auto reader = MAIA_TRY(JournalReader::open(system_disk(), directory));
  const auto tail = MAIA_TRY(reader->tail());
  const auto after = MAIA_TRY(begin(arguments, *reader, tail));
  const auto cursor = MAIA_TRY(reader->read(after));
  const Filter filter(arguments);
  Printer printer(arguments, outside.out);
  auto last = after;
  bool within = false;
  while (outside.out && (!arguments.until_now || last < tail.sequence || within)) {
    const auto window = MAIA_TRY(cursor->next(kWait, {}));
    if (!window) continue;
    for (const auto& place : codec::changes_in_order(**window)) {
      if (filter.takes((*window)->items[place.item], place.row)) printer.print(**window, place);
    }
    outside.out.flush();
    last = (*window)->sequence;
    within = (*window)->continues;
  }
  return ExitCode::done;
}

}  // namespace maia::app
