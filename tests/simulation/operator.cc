// SPDX-License-Identifier: Apache-2.0
#include "operator.h"

#include <fmt/format.h>

namespace maia::simulation {
namespace {

using engine::Delivery;

void ask(Delivery& delivery, Trace& trace, std::string words,
         const std::function<Result<std::string>(Delivery&)>& work) {
  auto told = [&delivery, &trace, words = std::move(words), work]() -> Result<std::string> {
    auto answer = work(delivery);
    trace.tell(fmt::format("  {} is asked to {}: {}", delivery.name(), words,
                           answer.ok() ? *answer : answer.error().message));
    return answer;
  };
  static_cast<void>(delivery.mailbox().post(std::move(told)));
}

/// Some keys of the table, as `--rows` takes them.
std::string some_rows(const TableSchema& schema, Dice& dice) {
  const auto key = schema.key();
  if (key.empty()) return "";
  const auto& column = schema.columns[key.front()];
  const auto literal = [&] {
    const auto number = std::to_string(dice.roll(24));
    return column.type.id == TypeId::string ? "'k" + number + "'" : number;
  };
  if (dice.percent(50))
    return fmt::format("{} in ({}, {}, {})", column.name, literal(), literal(), literal());
  return fmt::format("{} >= {}", column.name, literal());
}

}  // namespace

void ask_something(Delivery& delivery, const Database& database, Dice& dice, Trace& trace) {
  const auto& tables = database.now();
  const auto& schema =
      *std::next(tables.begin(), static_cast<std::ptrdiff_t>(dice.roll(tables.size())))->second.schema;
  const auto table = schema.name.table;
  const engine::Moment moment{.time = {}, .position = std::to_string(dice.roll(database.end() + 1))};
  switch (dice.roll(9)) {
    case 0: return ask(delivery, trace, "pause " + table, [=](auto& asked) { return asked.pause(table); });
    case 1: return ask(delivery, trace, "resume " + table, [=](auto& asked) { return asked.resume(table); });
    case 2: return ask(delivery, trace, "pause", [](auto& asked) { return asked.pause(""); });
    case 3: return ask(delivery, trace, "resume", [](auto& asked) { return asked.resume(""); });
    case 4:
      return ask(delivery, trace, "resync " + table, [=](auto& asked) { return asked.resync(table, ""); });
    case 5: {
      const auto rows = some_rows(schema, dice);
      return ask(delivery, trace, fmt::format("resync {} where {}", table, rows),
                 [=](auto& asked) { return asked.resync(table, rows); });
    }
    case 6:
      return ask(delivery, trace, fmt::format("send {} again from {}", table, moment.position),
                 [=](auto& asked) { return asked.send_again(moment, table); });
    default: {
      const bool partial = dice.percent(30);
      return ask(delivery, trace, fmt::format("roll {} back to {}", table, moment.position),
                 [=](auto& asked) -> Result<std::string> {
                   const auto done = MAIA_TRY(asked.rollback(moment, table, partial));
                   return "back at " + done.position;
                 });
    }
  }
}

void resume_all(Delivery& delivery) {
  if (delivery.mailbox().waiting()) return;
  static_cast<void>(delivery.mailbox().post([&delivery]() -> Result<std::string> {
    static_cast<void>(delivery.resume(""));
    return delivery.resume("*");
  }));
}

}  // namespace maia::simulation
