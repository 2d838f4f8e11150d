// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "io/http.hpp"

namespace repoupdate {

// An input as an answer to a request: a line with the status, lines of headers ("name: value", names in lower case), an
// empty line, and the body. Whatever is missing is empty.
inline HttpResponse answer_of(std::string_view input) {
  const auto take_line = [&input] {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    return line;
  };
  HttpResponse answer;
  const std::string_view status = take_line();
  std::from_chars(status.data(), status.data() + status.size(), answer.status);
  for (std::string_view line = take_line(); !line.empty(); line = take_line()) {
    const std::size_t colon = std::min(line.find(": "), line.size());
    answer.headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 2, line.size())));
  }
  answer.body = input;
  return answer;
}

}  // namespace repoupdate
