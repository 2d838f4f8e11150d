// SPDX-License-Identifier: Apache-2.0
// repogen DIR PACKAGES [--zstd] [--seed N] [--open]: writes a synthetic repository's metadata, prints their sizes.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "metadata_generator.hpp"

namespace repoupdate::bench {
namespace {

constexpr std::string_view k_usage =
    "usage: repogen DIR PACKAGES [--zstd] [--seed N] [--open]\n"
    "  --open  only make the texts and say how fast; nothing is written\n";

struct Arguments {
  std::string directory;
  GeneratorOptions options;
  Compression compression = Compression::gz;
  bool is_open = false;
};

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<Arguments> read_arguments(std::span<char* const> words) {
  Arguments arguments;
  if (words.size() < 3 || !read_number(std::string_view(words[2]), arguments.options.packages)) return std::nullopt;
  arguments.directory = words[1];
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--zstd") {
      arguments.compression = Compression::zstd;
    } else if (word == "--open") {
      arguments.is_open = true;
    } else if (word != "--seed" || ++i == words.size() ||
               !read_number(std::string_view(words[i]), arguments.options.seed)) {
      return std::nullopt;
    }
  }
  return arguments;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void measure_open(const GeneratorOptions& options) {
  const MetadataGenerator generator(options);
  for (const MetadataKindInfo& kind : k_metadata_kinds) {
    const auto start = std::chrono::steady_clock::now();
    std::size_t bytes = 0;
    std::string text;
    for (std::size_t i = 0; i < generator.size(); ++i) {
      text.clear();
      generator.append_fragment(kind.kind, i, text);
      bytes += text.size();
    }
    const double seconds = seconds_since(start);
    std::printf("%-10s %12zu bytes open  %6.2f s  %6.0f MB/s\n", std::string(kind.name).c_str(), bytes, seconds,
                static_cast<double>(bytes) / 1e6 / seconds);
  }
}

int run(const Arguments& arguments) {
  if (arguments.is_open) {
    measure_open(arguments.options);
    return 0;
  }
  const auto start = std::chrono::steady_clock::now();
  const auto repomd = generate_repository(arguments.directory, arguments.options, arguments.compression);
  if (!repomd) {
    std::fprintf(stderr, "repogen: %s\n", repomd.error().message.c_str());
    return 1;
  }
  for (const RepomdRecord& record : repomd->records) {
    const double open = static_cast<double>(record.open_size.value_or(0));
    const double stored = static_cast<double>(record.size.value_or(1));
    std::printf("%-10s %12.0f bytes open  %12.0f stored  %5.1f x  %7.0f open a package\n", record.type.c_str(), open,
                stored, open / stored,
                open / static_cast<double>(std::max<std::size_t>(arguments.options.packages, 1)));
  }
  std::printf("%.2f s\n", seconds_since(start));
  return 0;
}

}  // namespace
}  // namespace repoupdate::bench

int main(int argc, char** argv) {
  const auto arguments = repoupdate::bench::read_arguments({argv, static_cast<std::size_t>(argc)});
  if (!arguments) {
    std::fputs(std::string(repoupdate::bench::k_usage).c_str(), stderr);
    return 2;
  }
  return repoupdate::bench::run(*arguments);
}
