// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fstream>

#include "maia/config/settings_check.h"
#include "maia/config/yaml.h"

namespace maia::config {

Result<std::string> read_text(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text(kLargestYaml + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() && (!in || in.bad())) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 path + ": cannot be read: " + (errno ? std::strerror(errno) : "not a file"),
                 "check the path; `maia init` writes a new file"};
  }
  return text.substr(0, static_cast<std::size_t>(in.gcount()));  // a copy as large as the file
}

Result<Node> read_yaml(const std::string& path) { return parse_yaml(MAIA_TRY(read_text(path)), path); }

}  // namespace maia::config
