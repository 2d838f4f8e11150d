// SPDX-License-Identifier: Apache-2.0
// RPM files out of thin air, for tests that need many or odd ones without rpmbuild.
#pragma once

#include <cstddef>
#include <string>

#include "model/nevra.hpp"

namespace repoupdate {

// A file that librpm accepts: lead, signature header with the SHA-256 of the header, header with the SHA-256 of the
// payload, and `payload_size` bytes that nobody unpacks. The same arguments give the same bytes.
// Source: rpm's "Package file format" (docs/manual/format*.md in rpm's tree).
std::string build_package(const Nevra& nevra, std::size_t payload_size = 64);

// What else may be in it.
struct PackageExtras {
  std::string vendor;
  std::string payload_digest;     // hex; empty: none, as rpm before 4.14
  std::string header_signature;   // an OpenPGP packet, in the tag for DSA and EdDSA
  std::string package_signature;  // over header and payload, as old packages have it
  std::size_t files = 0;          // that it lists, all in one directory; the payload has none of them
};
std::string build_package(const Nevra& nevra, std::size_t payload_size, const PackageExtras& extras);
// The bytes that a header signature covers.
std::string build_header(const Nevra& nevra, const PackageExtras& extras);

}  // namespace repoupdate
