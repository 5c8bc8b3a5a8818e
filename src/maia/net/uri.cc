// SPDX-License-Identifier: Apache-2.0
#include "maia/net/uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace maia::net {
namespace {

Error invalid(std::string_view whole, std::string_view why, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, fmt::format("the URI {} {}", redacted(whole), why),
          std::move(hint)};
}

bool is_scheme(std::string_view text) {
  if (text.empty() || !std::isalpha(static_cast<unsigned char>(text[0]))) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '-' || c == '.';
  });
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    if (i + 2 >= text.size()) return {};
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
    if (error != std::errc() || end != text.data() + i + 3 || byte == 0) return {};
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

bool sounds_secret(std::string_view name) {
  std::string lower;
  for (char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (std::string_view word : {"password", "passwd", "pwd", "secret", "token", "key", "credential"}) {
    if (lower.find(word) != lower.npos) return true;
  }
  return false;
}

/// Reads one URI part by part; `whole` is kept for messages.
class Reader {
 public:
  explicit Reader(std::string_view whole) : whole_(whole), rest_(whole) {}

  Result<Uri> read() {
    const auto colon = rest_.find(':');
    if (colon == rest_.npos || !is_scheme(rest_.substr(0, colon)))
      return invalid(whole_, "has no scheme",
                     "write what it is first, as in scheme://user@host/database or scheme:path");
    for (char c : rest_.substr(0, colon))
      uri_.scheme += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    rest_.remove_prefix(colon + 1);
    if (rest_.find('#') != rest_.npos)
      return invalid(whole_, "has a fragment (#), which means nothing here",
                     "write # as %23 in a name or password");
    MAIA_TRY(query());
    if (rest_.starts_with("//")) MAIA_TRY(authority());
    uri_.path = MAIA_TRY(decoded(rest_, "the path"));
    return std::move(uri_);
  }

 private:
  Result<std::string> decoded(std::string_view part, std::string_view name) {
    if (auto text = decode(part)) return *std::move(text);
    return invalid(whole_, fmt::format("has a broken percent sign in {}", name),
                   "a percent sign is followed by two hex digits; write % itself as %25");
  }

  Status query() {
    const auto mark = rest_.find('?');
    if (mark == rest_.npos) return {};
    auto text = rest_.substr(mark + 1);
    rest_ = rest_.substr(0, mark);
    while (!text.empty()) {
      const auto piece = text.substr(0, text.find('&'));
      text.remove_prefix(std::min(text.size(), piece.size() + 1));
      const auto equals = piece.find('=');
      if (equals == piece.npos || equals == 0)
        return invalid(whole_, "has a query parameter without a value", "write ?name=value&name=value");
      auto name = MAIA_TRY(decoded(piece.substr(0, equals), "a parameter"));
      auto value = MAIA_TRY(decoded(piece.substr(equals + 1), "a parameter"));
      uri_.query.emplace_back(std::move(name), std::move(value));
    }
    return {};
  }

  Status authority() {
    uri_.has_authority = true;
    rest_.remove_prefix(2);
    const auto slash = rest_.find('/');
    auto text = rest_.substr(0, slash);
    rest_ = slash == rest_.npos ? std::string_view{} : rest_.substr(slash);
    if (const auto at = text.rfind('@'); at != text.npos) {
      MAIA_TRY(userinfo(text.substr(0, at)));
      text.remove_prefix(at + 1);
    } else if (rest_.find('@') != rest_.npos) {
      return invalid(whole_, "has an @ after the first slash",
                     "write / in a user name or password as %2F, and @ as %40");
    }
    return host_and_port(text);
  }

  Status userinfo(std::string_view text) {
    if (text.find('@') != text.npos)
      return invalid(whole_, "has more than one @", "write @ in a user name or password as %40");
    const auto colon = text.find(':');
    uri_.user = MAIA_TRY(decoded(text.substr(0, colon), "the user name"));
    if (colon != text.npos) uri_.password = Secret(MAIA_TRY(decoded(text.substr(colon + 1), "the password")));
    return {};
  }

  Status host_and_port(std::string_view text) {
    std::string_view host = text;
    std::string_view port;
    if (text.starts_with('[')) {
      const auto close = text.find(']');
      if (close == text.npos)
        return invalid(whole_, "has an IPv6 address that is not closed", "write it as [::1]");
      host = text.substr(1, close - 1);
      port = text.substr(close + 1);
      if (!port.empty() && port[0] != ':')
        return invalid(whole_, "has text after the IPv6 address", "write the port as [::1]:5432");
    } else if (const auto colon = text.find(':'); colon != text.npos) {
      host = text.substr(0, colon);
      port = text.substr(colon);
    }
    uri_.host = MAIA_TRY(decoded(host, "the host"));
    if (port.empty()) return {};
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size() || number == 0)
      return invalid(whole_, "has a port that is no number between 1 and 65535",
                     "write : in a password as %3A, and an IPv6 address in brackets");
    uri_.port = number;
    return {};
  }

  std::string_view whole_;
  std::string_view rest_;
  Uri uri_;
};

}  // namespace

Result<Uri> parse_uri(std::string_view text) { return Reader(text).read(); }

std::string redacted(std::string_view text) {
  std::string out(text);
  const auto mark = out.find('?');
  if (mark != out.npos) {
    for (auto begin = mark + 1; begin < out.size();) {
      auto end = std::min(out.find('&', begin), out.size());
      const auto equals = out.find('=', begin);
      if (equals < end && sounds_secret(std::string_view(out).substr(begin, equals - begin))) {
        out.replace(equals + 1, end - equals - 1, "***");
        end = equals + 4;
      }
      begin = end + 1;
    }
  }
  const auto slashes = out.find("://");
  if (slashes == out.npos) return out;
  const auto colon = out.find(':', slashes + 3);
  const auto at = out.rfind('@');
  if (colon == out.npos || at == out.npos || at < colon) return out;
  return out.replace(colon + 1, at - colon - 1, "***");
}

}  // namespace maia::net
