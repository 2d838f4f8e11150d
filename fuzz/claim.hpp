// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

// What every target defines; libFuzzer and replay_main.cpp call it. The bytes are only valid during the call.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace repoupdate {

// Something that is true for every input. When it is not, the program ends, and the input is a find.
inline void claim(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "this does not hold: %s\n", what);
  std::abort();
}

}  // namespace repoupdate
