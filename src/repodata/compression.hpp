// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace repoupdate {

// What metadata are written in. gz is read by every client since EL 6; zstd needs libsolv with zstd
// (Fedora 30, RHEL 8.4, SLE 15). More are read: see decoder.hpp.
enum class Compression { gz, zstd };

constexpr std::string_view file_suffix(Compression compression) {
  return compression == Compression::zstd ? ".zst" : ".gz";
}

constexpr std::string_view content_type(Compression compression) {
  return compression == Compression::zstd ? "application/zstd" : "application/gzip";
}

}  // namespace repoupdate
