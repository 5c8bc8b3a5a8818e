// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "maia/app/arguments.h"
#include "maia/app/command_line.h"
#include "maia/base/result.h"

namespace maia::app {

/// What was typed cannot be meant: Code::invalid_config.
Error usage(std::string message, std::string hint);

/// A command while it is declared: names and meanings of its words, each bound to a field of its arguments,
/// which must outlive the parsing. Every flag may come from its variable instead, MAIA_ and the flag's name.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(app) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  virtual ~Command() = default;

  /// A word by its place. Optional unless `->required()`.
  template <class T>
  CLI::Option* argument(const std::string& name, T& value, const std::string& doc) {
    return app_.add_option(name, value, doc);
  }
  /// The first word is one of `choices`.
  template <class T>
  CLI::Option* action(const std::string& doc, T& value,
                      const std::vector<std::pair<std::string, T>>& choices) {
    for (const auto& [word, each] : choices) actions_.push_back(word);
    return chosen(app_.add_option_function<std::string>("ACTION", setter(value, choices), doc), actions_);
  }
  CLI::Option* action(const std::string& name, const std::string& doc, std::string& value,
                      std::vector<std::string> choices);
  /// A flag with a value of this kind, as its help names it.
  template <class T>
  CLI::Option* option(const std::string& name, T& value, const std::string& kind, const std::string& doc) {
    return with_variable(app_.add_option(name, value, doc)->type_name(kind));
  }
  CLI::Option* list(const std::string& name, std::vector<std::string>& value, const std::string& kind,
                    const std::string& doc);
  /// A flag whose value is one of a few words.
  template <class T>
  CLI::Option* choice(const std::string& name, T& value, const std::string& kind, const std::string& doc,
                      const std::vector<std::pair<std::string, T>>& choices) {
    std::vector<std::string> words;
    for (const auto& [word, each] : choices) words.push_back(word);
    auto* made = app_.add_option_function<std::string>(name, setter(value, choices), doc)->type_name(kind);
    return with_variable(chosen(made, words));
  }
  /// A flag whose value `parse` must understand, else it "must be WHAT"; `example` is a value that is right.
  template <class T>
  CLI::Option* parsed(const std::string& name, T& value, const std::string& kind, const std::string& doc,
                      std::function<std::optional<T>(const std::string&)> parse, const std::string& what,
                      const std::string& example) {
    auto* made = app_.add_option_function<std::string>(
        name,
        [this, name, &value, parse, what, example](const std::string& text) {
          if (auto read = parse(text)) {
            value = *std::move(read);
          } else if (!refusal_) {
            refusal_ = wrong_value(name, text, what, example);
          }
        },
        doc);
    return with_variable(made->type_name(kind));
  }
  CLI::Option* flag(const std::string& name, bool& value, const std::string& doc) {
    return with_variable(app_.add_flag(name, value, doc));
  }

  // What several commands have.
  void json(bool& value) { flag("--json", value, "Answer in JSON."); }
  void state(std::string& value);
  void files(std::vector<std::string>& value);
  void format(QueryArguments::Format& value);
  void json_format(QueryArguments::Format& value);

  /// What must hold between the words; asked after all are parsed.
  void require(std::function<Status()> holds) { holds_ = std::move(holds); }

  const std::string& name() const { return app_.get_name(); }
  const CLI::App& app() const { return app_; }
  /// Before parsing, for the command that was given only: another may know the same variable with other
  /// bounds.
  void read_variables();
  Result<Invocation> finish() const;
  CommandDoc doc() const;

 private:
  virtual Invocation invocation() const = 0;

  template <class T>
  static std::function<void(const std::string&)> setter(
      T& value, const std::vector<std::pair<std::string, T>>& choices) {
    return [&value, choices](const std::string& text) {
      for (const auto& [word, each] : choices) {
        if (word == text) value = each;
      }
    };
  }
  CLI::Option* chosen(CLI::Option* option, std::vector<std::string> words);
  CLI::Option* with_variable(CLI::Option* option, std::string variable = {});
  static Error wrong_value(const std::string& flag, const std::string& text, const std::string& what,
                           const std::string& example);

  CLI::App& app_;
  std::vector<std::string> actions_;
  std::map<const CLI::Option*, std::string> variables_;
  std::map<const CLI::Option*, std::vector<std::string>> choices_;
  std::function<Status()> holds_;
  std::optional<Error> refusal_;
};

template <class Arguments>
class CommandOf final : public Command {
 public:
  using Command::Command;
  Arguments arguments;

 private:
  Invocation invocation() const override { return arguments; }
};

/// All commands of the program, and the parsing of its words.
class CommandSet {
 public:
  CommandSet();

  template <class Arguments>
  CommandOf<Arguments>& add(const std::string& name, const std::string& doc) {
    auto made = std::make_unique<CommandOf<Arguments>>(*root_.add_subcommand(name, doc));
    auto& command = *made;
    commands_.push_back(std::move(made));
    return command;
  }

  Result<Invocation> parse(const std::vector<std::string>& words);
  std::vector<CommandDoc> docs() const;

 private:
  Command* chosen() const;
  Error unknown_word() const;

  CLI::App root_;
  std::vector<std::unique_ptr<Command>> commands_;
  bool show_version_ = false;
};

}  // namespace maia::app
