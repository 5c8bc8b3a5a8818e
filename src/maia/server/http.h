// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace maia::server {

struct Request {
  std::string method = "GET";
  std::string path = "/";                    ///< percent-decoded, without the query
  std::map<std::string, std::string> query;  ///< decoded; the last one wins
  std::string body;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
};

/// Called from one of a few worker threads, several at once; must be thread-safe and come back in bounded
/// time. An exception becomes a 500.
using Handler = std::function<Response(const Request&)>;

/// Which handler answers what. Filled before a server takes it.
class Routes {
 public:
  /// `method` in upper case; `path` is matched whole. HEAD is answered from GET.
  Routes& add(std::string method, std::string path, Handler handler);
  /// The handler's answer; 404 for an unknown path, 405 for another method of a known one.
  Response answer(const Request& request) const;

 private:
  std::map<std::string, std::map<std::string, Handler>, std::less<>> by_path_;
};

/// `{"error": message}` with a status.
Response error_response(unsigned status, std::string_view message);

/// Splits the target of a request line into path and query. False if its percent-encoding is broken.
bool parse_target(std::string_view target, Request& request);

}  // namespace maia::server
