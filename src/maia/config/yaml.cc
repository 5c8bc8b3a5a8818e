// SPDX-License-Identifier: Apache-2.0
#include "maia/config/yaml.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <map>
#include <optional>

#include "maia/config/settings_check.h"
#include "maia/config/utf8.h"

namespace maia::config {
namespace {

constexpr int kDeepest = 64;
constexpr std::size_t kMostValues = 500'000;
constexpr std::size_t kMostAliased = 10'000;

/// Owns one event of libyaml.
struct Event {
  yaml_event_t raw{};
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&raw); }
};

std::string text_of(const yaml_char_t* text) { return text ? reinterpret_cast<const char*>(text) : ""; }

std::size_t count(const Node& node) {
  std::size_t total = 1;
  if (const auto* sequence = node.sequence()) {
    for (const auto& element : *sequence) total += count(element);
  }
  if (const auto* mapping = node.mapping()) {
    for (const auto& entry : *mapping) total += count(entry.value);
  }
  return total;
}

int depth(const Node& node) {
  int deepest = 0;
  if (const auto* sequence = node.sequence()) {
    for (const auto& element : *sequence) deepest = std::max(deepest, depth(element));
  }
  if (const auto* mapping = node.mapping()) {
    for (const auto& entry : *mapping) deepest = std::max(deepest, depth(entry.value));
  }
  return deepest + 1;
}

/// Turns the events of one document into nodes.
class Parser {
 public:
  Parser(std::string_view text, const std::string& file) : text_(text), file_(file) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() { yaml_parser_delete(&parser_); }

  Result<Node> document() {
    Event event;
    MAIA_TRY(next(event));
    if (event.raw.type == YAML_STREAM_START_EVENT) MAIA_TRY(next(event));
    if (event.raw.type == YAML_STREAM_END_EVENT)
      return error_at({file_, 1, 1}, "the file is empty", "`maia init` writes one to begin with");
    MAIA_TRY(next(event));
    auto root = MAIA_TRY(value(event, 0));
    MAIA_TRY(next(event));
    if (event.raw.type == YAML_DOCUMENT_END_EVENT) MAIA_TRY(next(event));
    if (event.raw.type != YAML_STREAM_END_EVENT)
      return error_at(mark(event.raw.start_mark), "a second document begins here",
                      "keep one document in a file; `pipelines:` holds several pipelines");
    return root;
  }

 private:
  Mark mark(const yaml_mark_t& at) const {
    return {file_, static_cast<int>(at.line) + 1, static_cast<int>(at.column) + 1};
  }

  Status next(Event& event) {
    yaml_event_delete(&event.raw);
    if (yaml_parser_parse(&parser_, &event.raw)) return {};
    return syntax_error();
  }

  Error syntax_error() const;

  Result<Node> value(Event& event, int level) {
    const auto place = mark(event.raw.start_mark);
    if (level > kDeepest) return error_at(place, fmt::format("nested more than {} levels deep", kDeepest));
    if (++values_ > kMostValues) return error_at(place, fmt::format("more than {} values", kMostValues));
    switch (event.raw.type) {
      case YAML_ALIAS_EVENT: return alias(text_of(event.raw.data.alias.anchor), place, level);
      case YAML_SCALAR_EVENT: return scalar(event, place);
      case YAML_SEQUENCE_START_EVENT: return sequence(event, place, level);
      case YAML_MAPPING_START_EVENT: return mapping(event, place, level);
      default: return error_at(place, "a value is missing here");
    }
  }

  Status refuse_tag(const yaml_char_t* tag, const Mark& place) const {
    if (!tag) return {};
    return error_at(place, fmt::format("the tag '{}' is not supported", text_of(tag)),
                    "remove it; each setting knows its own type");
  }

  Result<Node> scalar(const Event& event, const Mark& place) {
    const auto& raw = event.raw.data.scalar;
    MAIA_TRY(refuse_tag(raw.tag, place));
    const std::string text(reinterpret_cast<const char*>(raw.value), raw.length);
    const bool quoted = raw.style != YAML_PLAIN_SCALAR_STYLE;
    Node node{Node::Null{}, place};
    const bool null =
        !quoted && (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL");
    if (!null) node.value = Node::Scalar{text, quoted, false};
    remember(raw.anchor, node);
    return node;
  }

  Result<Node> sequence(Event& event, const Mark& place, int level) {
    MAIA_TRY(refuse_tag(event.raw.data.sequence_start.tag, place));
    const auto anchor = open_anchor(event.raw.data.sequence_start.anchor);
    Node::Sequence elements;
    for (MAIA_TRY(next(event)); event.raw.type != YAML_SEQUENCE_END_EVENT; MAIA_TRY(next(event)))
      elements.push_back(MAIA_TRY(value(event, level + 1)));
    Node node{std::move(elements), place};
    close_anchor(anchor, node);
    return node;
  }

  Result<Node> mapping(Event& event, const Mark& place, int level) {
    MAIA_TRY(refuse_tag(event.raw.data.mapping_start.tag, place));
    const auto anchor = open_anchor(event.raw.data.mapping_start.anchor);
    Node::Mapping entries;
    std::map<std::string, int> lines;
    for (MAIA_TRY(next(event)); event.raw.type != YAML_MAPPING_END_EVENT; MAIA_TRY(next(event))) {
      const auto key_place = mark(event.raw.start_mark);
      if (event.raw.type != YAML_SCALAR_EVENT)
        return error_at(key_place, "a key must be plain text", "quote it if it has special characters");
      auto key = text_of(event.raw.data.scalar.value);
      MAIA_TRY(refuse_tag(event.raw.data.scalar.tag, key_place));
      if (key == "<<")
        return error_at(key_place, "merge keys (<<) are not supported",
                        "name what is shared under `connections:` and refer to it with `connection: NAME`");
      if (const auto [first, fresh] = lines.emplace(key, key_place.line); !fresh)
        return error_at(key_place, fmt::format("the key '{}' stands here a second time", key),
                        fmt::format("it was first given on line {}; keep one of them", first->second));
      MAIA_TRY(next(event));
      auto element = MAIA_TRY(value(event, level + 1));
      entries.push_back({std::move(key), key_place, std::move(element)});
    }
    Node node{std::move(entries), place};
    close_anchor(anchor, node);
    return node;
  }

  Result<Node> alias(const std::string& name, const Mark& place, int level) {
    const auto found = anchors_.find(name);
    if (found == anchors_.end())
      return error_at(place, fmt::format("the alias *{} has no anchor before it", name),
                      fmt::format("write &{} in front of the value that it stands for", name));
    if (!found->second)
      return error_at(place, fmt::format("the alias *{} stands inside its own anchor", name));
    aliased_ += count(*found->second);
    if (aliased_ > kMostAliased)
      return error_at(place, fmt::format("aliases stand for more than {} values", kMostAliased),
                      "write the values out, or share them under `connections:`");
    if (level + depth(*found->second) > kDeepest)
      return error_at(place, fmt::format("nested more than {} levels deep", kDeepest));
    return *found->second;
  }

  std::string open_anchor(const yaml_char_t* anchor) {
    auto name = text_of(anchor);
    if (!name.empty()) anchors_[name] = std::nullopt;
    return name;
  }
  void close_anchor(const std::string& name, const Node& node) {
    if (!name.empty()) anchors_[name] = node;
  }
  void remember(const yaml_char_t* anchor, const Node& node) { close_anchor(text_of(anchor), node); }

  std::string_view text_;
  const std::string& file_;
  yaml_parser_t parser_{};
  std::map<std::string, std::optional<Node>> anchors_;  ///< nothing while the value is still being read
  std::size_t values_ = 0;
  std::size_t aliased_ = 0;
};

/// What to do about libyaml's most frequent complaints; the wordings are those of libyaml 0.2.
std::string syntax_hint(std::string_view problem, char at) {
  if (at == '\t') return "YAML is indented with spaces; replace the tab";
  if (problem.find("tab character") != problem.npos) return "YAML is indented with spaces; replace the tab";
  if (problem.find("mapping values are not allowed") != problem.npos)
    return "put text that contains ': ' in quotes, and check the indentation";
  if (problem.find("cannot start any token") != problem.npos)
    return fmt::format("put text that begins with {} in quotes", at);
  if (problem.find("expected key") != problem.npos || problem.find("block end") != problem.npos ||
      problem.find("'-' indicator") != problem.npos)
    return "keys of one mapping must begin in the same column; check the indentation";
  if (problem.find("end of stream") != problem.npos) return "a quote or bracket is not closed";
  if (problem.find("expected ':'") != problem.npos) return "write a colon and a space after the key";
  if (problem.find("',' or") != problem.npos) return "separate the elements by commas and close the bracket";
  return "";
}

/// The byte at a place; libyaml counts lines and characters from 0.
char byte_at(std::string_view text, const yaml_mark_t& at) {
  for (std::size_t line = 0; line < at.line; ++line) {
    const auto end = text.find('\n');
    if (end == text.npos) return '\0';
    text.remove_prefix(end + 1);
  }
  for (std::size_t column = 0; column < at.column && !text.empty(); ++column)
    text.remove_prefix(utf8_length(text));
  return text.empty() ? '\0' : text[0];
}

Error Parser::syntax_error() const {
  const auto at = parser_.problem_mark;
  const std::string problem = parser_.problem ? parser_.problem : "unknown problem";
  const auto hint = syntax_hint(problem, byte_at(text_, at));
  if (hint.find("tab") != hint.npos) return error_at(mark(at), "a tab stands where YAML needs spaces", hint);
  const std::string during = parser_.context ? fmt::format(" {}", parser_.context) : "";
  return error_at(mark(at), fmt::format("this is not valid YAML: {}{}", problem, during), hint);
}

/// Refuses what libyaml would report without a place: bytes that are no UTF-8 and control characters.
Status check_bytes(std::string_view text, const std::string& file) {
  Mark at{file, 1, 1};
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (length == 0)
      return error_at(at, fmt::format("the byte 0x{:02x} is not valid UTF-8", byte),
                      "save the file as UTF-8");
    const bool control = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
    if (control || byte == 0x7F)
      return error_at(at, fmt::format("the control character 0x{:02x} is not allowed", byte),
                      "remove it, or write it as an escape in double quotes");
    ++at.column;
    if (byte == '\n') at = {file, at.line + 1, 1};
    text.remove_prefix(length);
  }
  return {};
}

}  // namespace

Result<Node> parse_yaml(std::string_view text, const std::string& file) {
  if (text.size() > kLargestYaml) return error_at({file, 0, 0}, "the file is larger than 4 MiB");
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.empty()) text = "";  // libyaml asserts that there is a pointer
  MAIA_TRY(check_bytes(text, file));
  return Parser(text, file).document();
}

}  // namespace maia::config
