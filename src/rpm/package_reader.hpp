// SPDX-License-Identifier: Apache-2.0
// Header bytes in, package record out. librpm parses and checks the header, libcreaterepo_c turns it into
// XML, so that the fragments are those of createrepo_c, byte for byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/checksum.hpp"
#include "model/package_record.hpp"
#include "rpm/header_range.hpp"

namespace repoupdate {

// What the header does not say about the file that it came from.
struct PackageFacts {
  Checksum pkgid;              // of the whole file
  std::string location_href;   // raw, not percent-encoded
  std::uint64_t size = 0;      // bytes of the whole file
  std::int64_t time_file = 0;  // Unix time
};

struct PackageReaderOptions {
  int changelog_limit = 10;  // newest entries that are kept; -1: all
};

// What the first read_package() waits for otherwise: the libraries' configuration and tables, some milliseconds, once for
// the process. Any thread, any number of times.
void prepare_package_reader();

// The record of the package whose file begins with `head`: at least the bytes [0, range.end), of which no
// more are looked at. `range` is what probe_header said about them.
//
// ErrorKind::corrupt  the header does not parse, its digest does not match, or the file is shorter than its signature
//                     header says.
// ErrorKind::invalid  the package breaks a rule: a character that XML forbids in its name, version, a
//                     dependency or a path (the message names the tag). In free text (summary, description,
//                     changelog, ...) such characters are dropped instead.
// ErrorKind::io       no anonymous file could be made in memory.
//
// May be called from several threads at once. Writes nothing to standard error.
Result<PackageRecord> read_package(std::string_view head, const HeaderRange& range, const PackageFacts& facts,
                                   const PackageReaderOptions& options);

}  // namespace repoupdate
