// SPDX-License-Identifier: Apache-2.0
#include "maia/server/http.h"

#include <optional>

#include "maia/base/json_text.h"

namespace maia::server {
namespace {

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
      if (!high || !low) return std::nullopt;
      out += static_cast<char>(*high * 16 + *low);
      i += 2;
    }
  }
  return out;
}

}  // namespace

Routes& Routes::add(std::string method, std::string path, Handler handler) {
  by_path_[std::move(path)][std::move(method)] = std::move(handler);
  return *this;
}

Response Routes::answer(const Request& request) const {
  const auto path = by_path_.find(request.path);
  if (path == by_path_.end()) return error_response(404, "there is nothing at " + request.path);
  const auto handler = path->second.find(request.method == "HEAD" ? "GET" : request.method);
  if (handler == path->second.end()) {
    return error_response(405, request.path + " takes " + path->second.begin()->first);
  }
  return handler->second(request);
}

Response error_response(unsigned status, std::string_view message) {
  Response response{.status = status};
  response.body = R"({"error":)";
  append_json_string(response.body, message);
  response.body += "}\n";
  return response;
}

bool parse_target(std::string_view target, Request& request) {
  const auto question = target.find('?');
  auto path = decoded(target.substr(0, question), false);
  if (!path || !path->starts_with('/')) return false;
  request.path = *std::move(path);
  auto rest = question == target.npos ? std::string_view{} : target.substr(question + 1);
  while (!rest.empty()) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    auto name = decoded(pair.substr(0, equals), true);
    auto value = decoded(equals == pair.npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    request.query[*std::move(name)] = *std::move(value);
  }
  return true;
}

}  // namespace maia::server
