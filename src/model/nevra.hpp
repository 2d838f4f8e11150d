// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>

namespace repoupdate {

// Name, epoch, version, release, arch of a package. From its header, never from a file name; for policy
// and for people. What identifies an entry is location_href and pkgid.
struct Nevra {
  std::string name;
  std::string epoch = "0";  // "0" when the header has none
  std::string version;
  std::string release;
  std::string arch;  // "src" for source packages

  // Equality and a stable order of text; versions are compared by rpmvercmp in room rpm.
  auto operator<=>(const Nevra&) const = default;
};

// "bash-5.2-1.x86_64", "grub2-1:2.06-3.x86_64": as dnf prints it, the epoch only when it is not 0.
std::string to_string(const Nevra& nevra);

}  // namespace repoupdate
