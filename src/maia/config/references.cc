// SPDX-License-Identifier: Apache-2.0
#include "maia/config/references.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "maia/config/settings_check.h"

namespace maia::config {
namespace {

constexpr std::size_t kLargestSecret = 1 << 20;
constexpr std::string_view kForms = "write ${env:NAME} or ${file:path}, or $${ for a literal ${";

Result<std::string> from_environment(std::string_view text, const Mark& place,
                                     const Environment& environment) {
  const auto split = text.find(":-");
  const std::string name(text.substr(0, split));
  if (name.empty()) return error_at(place, "${env:} names no variable", std::string(kForms));
  const auto value = environment(name);
  if (split != text.npos) return value && !value->empty() ? *value : std::string(text.substr(split + 2));
  if (value) return *value;
  return error_at(place, fmt::format("the environment variable {} is not set", name),
                  fmt::format("export {}=..., or give a default: ${{env:{}:-text}}", name, name));
}

Result<std::string> from_file(std::string_view text, const Mark& place) {
  if (text.empty()) return error_at(place, "${file:} names no file", std::string(kForms));
  const auto path = std::filesystem::path(place.file).parent_path() / text;
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string value(kLargestSecret + 1, '\0');
  if (in) in.read(value.data(), static_cast<std::streamsize>(value.size()));
  if (!in.eof())
    return error_at(place,
                    fmt::format("the file {} of a ${{file:}} reference {}", path.string(),
                                in ? "is larger than 1 MiB" : "cannot be read"),
                    errno ? std::strerror(errno) : "it must be a file that this user may read");
  value.resize(static_cast<std::size_t>(in.gcount()));
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
  return value;
}

Result<std::string> resolve_one(std::string_view reference, const Mark& place,
                                const Environment& environment) {
  if (reference.starts_with("env:")) return from_environment(reference.substr(4), place, environment);
  if (reference.starts_with("file:")) return from_file(reference.substr(5), place);
  if (reference.starts_with("vault:"))
    return error_at(
        place,
        fmt::format("${{{}}} needs a connection to Vault, which this version does not have", reference),
        "use ${env:NAME} or ${file:path}; vault references come with the Vault connection");
  return error_at(place, fmt::format("unknown reference '${{{}}}'", reference), std::string(kForms));
}

Status resolve_scalar(Node::Scalar& scalar, const Mark& place, const Environment& environment) {
  std::string out;
  std::string_view rest = scalar.text;
  bool resolved = false;
  for (auto at = rest.find("${"); at != rest.npos; at = rest.find("${")) {
    if (at > 0 && rest[at - 1] == '$') {
      out += rest.substr(0, at - 1);
      out += "${";
      rest.remove_prefix(at + 2);
      continue;
    }
    const auto end = rest.find('}', at);
    if (end == rest.npos) return error_at(place, "a ${ reference is not closed by }", std::string(kForms));
    out += rest.substr(0, at);
    out += MAIA_TRY(resolve_one(rest.substr(at + 2, end - at - 2), place, environment));
    resolved = true;
    rest.remove_prefix(end + 1);
  }
  out += rest;
  scalar.text = std::move(out);
  if (resolved) scalar.quoted = scalar.secret = true;
  return {};
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

Status resolve_references(Node& node, const Environment& environment) {
  if (auto* scalar = std::get_if<Node::Scalar>(&node.value))
    return resolve_scalar(*scalar, node.mark, environment);
  if (auto* sequence = std::get_if<Node::Sequence>(&node.value)) {
    for (auto& element : *sequence) MAIA_TRY(resolve_references(element, environment));
  }
  if (auto* mapping = std::get_if<Node::Mapping>(&node.value)) {
    for (auto& entry : *mapping) MAIA_TRY(resolve_references(entry.value, environment));
  }
  return {};
}

}  // namespace maia::config
