// SPDX-License-Identifier: Apache-2.0
#include "maia/config/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "maia/config/json.h"

namespace maia::config {
namespace {

constexpr std::size_t kLongestValue = 40;

std::string one_line(const Node& node) {
  if (const auto* scalar = node.scalar()) return scalar->secret ? "***" : scalar->text;
  return to_json(node);
}

using Part = std::pair<std::string, const Node*>;

/// The name that an element of a list gives itself, or its place.
std::string name_of(const Node& element, std::size_t index) {
  const auto* name = element.find("name");
  if (name && name->scalar()) return name->scalar()->text;
  return std::to_string(index + 1);
}

std::vector<Part> parts_of(const Node& node) {
  std::vector<Part> parts;
  if (const auto* entries = node.mapping()) {
    for (const auto& entry : *entries) parts.emplace_back(entry.key, &entry.value);
  } else if (const auto* elements = node.sequence()) {
    for (std::size_t i = 0; i < elements->size(); ++i)
      parts.emplace_back(name_of((*elements)[i], i), &(*elements)[i]);
  }
  return parts;
}

const Node* find(const std::vector<Part>& parts, const std::string& name) {
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return p.first == name; });
  return found == parts.end() ? nullptr : found->second;
}

bool has_named_elements(const Node& node) {
  const auto* elements = node.sequence();
  return elements && std::all_of(elements->begin(), elements->end(),
                                 [](const Node& each) { return each.mapping() != nullptr; });
}

void compare(const Node& before, const Node& after, const std::string& place, std::vector<Difference>& out) {
  const bool apart =
      (before.mapping() && after.mapping()) || (has_named_elements(before) && has_named_elements(after));
  if (!apart) {
    auto old_text = one_line(before);
    auto new_text = one_line(after);
    if (old_text != new_text) out.push_back({place, std::move(old_text), std::move(new_text)});
    return;
  }
  const auto old_parts = parts_of(before);
  const auto new_parts = parts_of(after);
  const auto at = [&](const std::string& name) { return place.empty() ? name : place + "." + name; };
  for (const auto& [name, part] : new_parts) {
    if (const auto* old = find(old_parts, name)) {
      compare(*old, *part, at(name), out);
    } else {
      out.push_back({at(name), "", one_line(*part)});
    }
  }
  for (const auto& [name, part] : old_parts) {
    if (!find(new_parts, name)) out.push_back({at(name), one_line(*part), ""});
  }
}

std::string shortened(const std::string& text) {
  if (text.size() <= kLongestValue && text.find('\n') == text.npos) return text;
  return "";
}

}  // namespace

std::vector<Difference> differences(const Node& before, const Node& after) {
  std::vector<Difference> out;
  compare(before, after, "", out);
  return out;
}

std::string in_words(const std::vector<Difference>& differences) {
  std::string words;
  for (const auto& each : differences) {
    if (!words.empty()) words += ", ";
    const auto before = shortened(each.before);
    const auto after = shortened(each.after);
    if (each.before.empty()) {
      words += each.place + " added";
    } else if (each.after.empty()) {
      words += each.place + " removed";
    } else if (before.empty() || after.empty()) {
      words += each.place + " changed";
    } else {
      words += fmt::format("{}: {} -> {}", each.place, before, after);
    }
  }
  return words;
}

}  // namespace maia::config
