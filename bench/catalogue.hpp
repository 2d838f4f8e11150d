// SPDX-License-Identifier: Apache-2.0
// Which packages a synthetic repository has: source packages of several ecosystems, each with the binary
// packages that are usual there, in createrepo_c's order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace repoupdate::bench {

enum class Ecosystem { plain, lib, python, perl, rust, golang, texlive };
enum class Role { main, libs, devel, doc, data, tools, feature };

struct SourcePlan {
  Ecosystem ecosystem = Ecosystem::plain;
  std::string stem;  // "requests" of "python-requests"
  std::string name;
  std::string version;
  std::string release;
  std::uint64_t seed = 0;  // of everything that its packages share: description, changelog, times
};

struct PackagePlan {
  std::string href;  // "Packages/f/foo-libs-1.2.3-4.fc40.x86_64.rpm"
  std::string name;
  std::string_view arch;    // "x86_64", "i686" or "noarch"
  std::size_t source = 0;   // index into Catalogue::sources
  std::uint64_t seed = 0;   // of its texts and file names
  std::uint64_t build = 0;  // of what every build changes: pkgid, sizes, time of the file
  std::uint32_t files = 0;  // listed in filelists
  Role role = Role::main;
};

struct Catalogue {
  std::vector<SourcePlan> sources;
  std::vector<PackagePlan> packages;  // by basename of the href, then href
};

// "libfoo" of libfoo.so.1.
std::string soname_stem(const SourcePlan& source);

// The same arguments give the same catalogue. None of the packages has a name in `taken`.
Catalogue make_catalogue(std::size_t packages, std::uint64_t seed, std::unordered_set<std::string> taken = {});

}  // namespace repoupdate::bench
