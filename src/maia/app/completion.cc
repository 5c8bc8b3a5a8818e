// SPDX-License-Identifier: Apache-2.0
#include "maia/app/completion.h"

#include <fmt/format.h>

namespace maia::app {
namespace {

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

/// For single quotes of sh and fish.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string bash(std::span<const CommandDoc> commands) {
  std::string names, cases;
  for (const auto& c : commands) {
    names += (names.empty() ? "" : " ") + c.name;
    std::string flags = "--help";
    std::string values;
    for (const auto& f : c.flags) {
      flags += " " + f.name;
      if (!f.choices.empty())
        values += fmt::format("        {}) COMPREPLY=($(compgen -W '{}' -- \"$word\")); return ;;\n", f.name,
                              joined(f.choices));
      else if (f.takes_value)
        values += fmt::format("        {}) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", f.name);
    }
    cases += fmt::format("    {})\n", c.name);
    if (!values.empty()) cases += "      case \"$previous\" in\n" + values + "      esac\n";
    cases += fmt::format("      flags='{}' words='{}' files={} ;;\n", flags, joined(c.choices),
                         c.takes_files ? 1 : 0);
  }
  return fmt::format(R"sh(# maia completion for bash: eval "$(maia completion bash)"
_maia() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} flags= words= files=0
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{} --help --version' -- "$word")); return
  fi
  case "${{COMP_WORDS[1]}}" in
{}  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
    *) if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$word"))
       elif [ "$files" -eq 1 ]; then COMPREPLY=($(compgen -f -- "$word")); fi ;;
  esac
}}
complete -o filenames -F _maia maia
)sh",
                     names, cases);
}

/// A description inside the brackets of zsh's _arguments.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out;
}

std::string zsh(std::span<const CommandDoc> commands) {
  std::string names, cases;
  for (const auto& c : commands) {
    names += fmt::format("    '{}:{}'\n", c.name, zsh_text(c.doc));
    cases += fmt::format("    {}) _arguments", c.name);
    for (const auto& f : c.flags) {
      const auto value = !f.choices.empty() ? ":value:(" + joined(f.choices) + ")"
                         : f.takes_value    ? ":value:_files"
                                            : "";
      cases += fmt::format(" \\\n      '{}[{}]{}'", f.name, zsh_text(f.doc), value);
    }
    if (!c.choices.empty())
      cases += fmt::format(" \\\n      '*:value:({})'", joined(c.choices));
    else if (c.takes_files)
      cases += " \\\n      '*:file:_files'";
    cases += " ;;\n";
  }
  return fmt::format(R"sh(#compdef maia
# maia completion for zsh: eval "$(maia completion zsh)"
_maia() {{
  local -a commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
compdef _maia maia
)sh",
                     names, cases);
}

std::string fish(std::span<const CommandDoc> commands) {
  std::string out = "# maia completion for fish: maia completion fish | source\ncomplete -c maia -f\n";
  for (const auto& c : commands)
    out += fmt::format("complete -c maia -n __fish_use_subcommand -a {} -d {}\n", c.name, quoted(c.doc));
  for (const auto& c : commands) {
    const auto when = fmt::format("complete -c maia -n '__fish_seen_subcommand_from {}'", c.name);
    if (c.takes_files) out += when + " -F\n";
    if (!c.choices.empty()) out += fmt::format("{} -a {}\n", when, quoted(joined(c.choices)));
    for (const auto& f : c.flags) {
      out += fmt::format("{} -l {} -d {}", when, f.name.substr(2), quoted(f.doc));
      if (!f.choices.empty())
        out += " -x -a " + quoted(joined(f.choices));
      else if (f.takes_value)
        out += " -r";
      out += '\n';
    }
  }
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell, std::span<const CommandDoc> commands) {
  if (shell == "bash") return bash(commands);
  if (shell == "zsh") return zsh(commands);
  return fish(commands);
}

}  // namespace maia::app
