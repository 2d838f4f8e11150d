// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target once over every file of a directory, without libFuzzer and with any compiler: so that what has
// been found once is looked at again in every test run. A claim that does not hold ends the program; the last name
// printed is the input.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "claim.hpp"

int main(int count, char** words) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", words[0]);
    return 2;
  }
  std::error_code error;
  std::size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(words[1], error)) {
    std::printf("%s\n", entry.path().c_str());
    std::fflush(stdout);
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    ++inputs;
  }
  LLVMFuzzerTestOneInput(nullptr, 0);
  std::printf("%zu inputs\n", inputs);
  return error || inputs == 0 ? 1 : 0;  // a corpus that is not found proves nothing
}
