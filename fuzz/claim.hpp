// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// What every target defines; libFuzzer and replay_main.cpp call it. The bytes are only valid during the call.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace repoupdate {

// Something that is true for every input. When it is not, the program ends, and the input is a find.
inline void claim(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "this does not hold: %s\n", what);
  std::abort();
}

// What is said about foreign bytes goes into logs and onto terminals: one line of a bounded length, whatever they hold.
inline void claim_message(std::string_view message) {
  constexpr std::size_t k_most = 8'000;  // bytes
  claim(!message.empty() && message.size() <= k_most, "a failure says what is wrong, and not at length");
  for (const char c : message)
    claim((c >= ' ' || c < 0) && c != '\x7f', "a message is one line, without control characters");
}

}  // namespace repoupdate
