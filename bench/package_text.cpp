// SPDX-License-Identifier: Apache-2.0
#include "package_text.hpp"

#include <array>
#include <string_view>

#include "file_list.hpp"
#include "random.hpp"
#include "words.hpp"

namespace repoupdate::bench {
namespace {

enum Purpose : std::uint64_t { facts = 1, source_text, package_text, dependencies, changelog };

constexpr std::uint64_t k_first_build = 1'690'000'000;  // Unix time, July 2023
constexpr std::uint64_t k_build_window = 230 * 86400;   // seconds

template <typename... Parts>
void put(std::string& out, const Parts&... parts) {
  (out.append(parts), ...);
}

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

std::string random_hex(Random& random, std::size_t digits) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string hex(digits, '0');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < digits; ++i, bits >>= 4) {
    if (i % 16 == 0) bits = random.next();
    hex[i] = k_digits[bits & 15];
  }
  return hex;
}

std::uint64_t build_time(const SourcePlan& source) {
  return k_first_build + source.seed % k_build_window;
}

void put_version(std::string& out, const SourcePlan& source) {
  put(out, "  <version epoch=\"0\" ver=\"", source.version, "\" rel=\"", source.release, "\"/>\n");
}

// Words in lines of at most 79, as descriptions are wrapped.
void put_prose(std::string& out, Random& random, std::size_t words) {
  std::size_t column = 0;
  bool is_start = true;
  for (std::size_t i = 0; i < words; ++i) {
    const std::string_view word = random.chance(80) ? random.pick_common(k_prose) : random.pick_common(k_words);
    if (i > 0) {
      const bool wraps = column + word.size() > 78;
      out += wraps ? '\n' : ' ';
      column = wraps ? 0 : column + 1;
    }
    out += word;
    if (is_start && word[0] >= 'a') out[out.size() - word.size()] = static_cast<char>(word[0] - 'a' + 'A');
    is_start = i + 1 == words || random.chance(7);
    if (is_start) out += '.';
    column += word.size();
  }
}

void put_summary(std::string& out, const SourcePlan& source, const PackagePlan& package) {
  switch (package.role) {
    case Role::devel: return put(out, "Development files for ", source.name);
    case Role::libs: return put(out, "Libraries for ", source.name);
    case Role::doc: return put(out, "Documentation for ", source.name);
    case Role::data: return put(out, "Common files for ", source.name);
    case Role::tools: return put(out, "Command line tools for ", source.name);
    case Role::feature: return put(out, "Rust library for ", source.stem);
    case Role::main: break;
  }
  Random random(derived_seed(source.seed, package_text));
  put(out, "A ", random.pick(k_words), " ", random.pick(k_words), " for ", random.pick_common(k_words), " &amp; ",
      random.pick_common(k_words));
}

void put_description(std::string& out, const SourcePlan& source, const PackagePlan& package) {
  if (package.role == Role::devel)
    return put(out, "The ", package.name, " package contains libraries and header files for\n",
               "developing applications that use ", source.name, ".");
  Random random(derived_seed(source.seed, source_text));
  put_prose(out, random, random.between(10, random.chance(25) ? 120 : 60));
  if (package.role == Role::main) return;
  put(out, "\n\nThis package contains the ", package.role == Role::doc ? "documentation" : "files", " of ", source.name,
      ".");
}

class DependencyWriter {
public:
  DependencyWriter(std::string& out, const SourcePlan& source) : m_out(out), m_source(source) {}

  void open(std::string_view list) { put(m_out, "    <rpm:", list, ">\n"); }
  void close(std::string_view list) { put(m_out, "    </rpm:", list, ">\n"); }

  template <typename... Parts>
  void any(const Parts&... name) {
    named(name...);
    m_out += "\"/>\n";
  }
  template <typename... Parts>
  void before_install(const Parts&... name) {
    named(name...);
    m_out += "\" pre=\"1\"/>\n";
  }
  template <typename... Parts>
  void same_version(const Parts&... name) {
    named(name...);
    put(m_out, "\" flags=\"EQ\" epoch=\"0\" ver=\"", m_source.version, "\" rel=\"", m_source.release, "\"/>\n");
  }
  template <typename... Parts>
  void with_version(std::string_view flags, std::string_view version, const Parts&... name) {
    named(name...);
    put(m_out, "\" flags=\"", flags, "\" epoch=\"0\" ver=\"", version, "\"/>\n");
  }

private:
  template <typename... Parts>
  void named(const Parts&... name) {
    put(m_out, "      <rpm:entry name=\"", name...);
  }

  std::string& m_out;
  const SourcePlan& m_source;
};

// "()(64bit)" of a library's soname on x86_64.
std::string_view soname_mark(const PackagePlan& package) {
  return package.arch == "x86_64" ? "()(64bit)" : "";
}

void put_provides(DependencyWriter& entries, const SourcePlan& source, const PackagePlan& package) {
  Random random(derived_seed(package.seed, dependencies));
  entries.open("provides");
  if (package.role == Role::libs)
    for (std::uint64_t left = random.between(1, 3); left > 0; --left)
      entries.any(soname_stem(source), left == 1 ? "" : "-", left == 1 ? "" : random.pick(k_words), ".so.",
                  number(source.seed % 9), soname_mark(package));
  if (source.ecosystem == Ecosystem::perl && package.role == Role::main)
    for (std::uint64_t left = random.between(1, 12); left > 0; --left)
      entries.with_version("EQ", source.version, "perl(", source.stem, "::", random.pick(k_words), ")");
  entries.same_version(package.name);
  if (package.arch != "noarch") entries.same_version(package.name, package.arch == "i686" ? "(x86-32)" : "(x86-64)");
  if (package.role == Role::devel && source.ecosystem != Ecosystem::rust)
    entries.with_version("EQ", source.version, "pkgconfig(", source.stem, ")");
  if (source.ecosystem == Ecosystem::rust) entries.with_version("EQ", source.version, "crate(", source.stem, ")");
  if (source.ecosystem == Ecosystem::python && package.role == Role::main) {
    entries.same_version("python-", source.stem);
    entries.same_version("python3.12-", source.stem);
    entries.with_version("EQ", source.version, "python3.12dist(", source.stem, ")");
    entries.with_version("EQ", source.version, "python3dist(", source.stem, ")");
  }
  if (source.ecosystem == Ecosystem::texlive)
    for (std::uint64_t left = random.between(1, 12); left > 0; --left)
      entries.any("tex(", random.pick_common(k_words), "-", random.pick(k_words), ".sty)");
  entries.close("provides");
}

void put_requires_of_ecosystem(DependencyWriter& entries, Ecosystem ecosystem, Random& random) {
  std::uint64_t left = random.between(1, 9);
  switch (ecosystem) {
    case Ecosystem::python:
      entries.with_version("EQ", "3.12", "python(abi)");
      for (; left > 0; --left) entries.any("python3.12dist(", random.pick_common(k_words), ")");
      return;
    case Ecosystem::perl:
      for (; left > 0; --left)
        entries.any("perl(", random.pick_common(k_words), "::", random.pick_common(k_words), ")");
      return entries.any("perl-libs");
    case Ecosystem::rust:
      for (; left > 0; --left)
        entries.any("(crate(", random.pick_common(k_words), "/default) &gt;= ", number(random.below(3)), ".",
                    number(random.below(20)), ".0 with crate(", random.pick_common(k_words), "/default) &lt; 2.0.0~)");
      return entries.any("cargo");
    case Ecosystem::golang:
      for (; left > 0; --left)
        entries.any("golang(github.com/", random.pick_common(k_words), "/", random.pick_common(k_words), ")");
      return entries.any("go-filesystem");
    case Ecosystem::texlive:
      for (; left > 0; --left) entries.any("tex(", random.pick_common(k_words), ".sty)");
      return entries.any("texlive-base");
    case Ecosystem::plain:
    case Ecosystem::lib: return;
  }
}

void put_requires(DependencyWriter& entries, const SourcePlan& source, const PackagePlan& package) {
  Random random(derived_seed(package.seed, dependencies + 100));
  entries.open("requires");
  const bool is_binary = package.arch != "noarch" && package.role != Role::devel;
  if (random.chance(20)) entries.before_install("/bin/sh");
  if (random.chance(25)) entries.any("/usr/bin/python3");
  if (package.role == Role::devel || package.role == Role::tools) entries.same_version(source.name);
  if (is_binary) {
    entries.any("libc.so.6(GLIBC_2.", number(random.between(2, 38)), ")", package.arch == "x86_64" ? "(64bit)" : "");
    const auto percent = static_cast<unsigned>(random.between(5, 65));
    for (const std::string_view soname : k_sonames)
      if (random.chance(percent)) entries.any(soname, soname_mark(package));
    for (std::uint64_t left = random.below(6); left > 0; --left)
      entries.any("lib", random.pick_common(k_words), ".so.", number(random.below(7)), soname_mark(package));
    entries.any("rtld(GNU_HASH)");
  }
  put_requires_of_ecosystem(entries, source.ecosystem, random);
  if (package.arch == "noarch" && package.role != Role::feature)
    entries.with_version("GE", number(random.below(9)) + ".0", random.pick_common(k_words), "-filesystem");
  entries.close("requires");
}

void put_format(std::string& out, const SourcePlan& source, const PackagePlan& package) {
  Random shared(derived_seed(source.seed, facts));
  Random random(derived_seed(package.build, facts + 100));
  const std::uint64_t header = 4504 + random.below(200) * 8;
  put(out, "  <format>\n    <rpm:license>", shared.pick_common(k_licenses), "</rpm:license>\n",
      "    <rpm:vendor>Fedora Project</rpm:vendor>\n    <rpm:group>Unspecified</rpm:group>\n",
      "    <rpm:buildhost>buildvm-x86-", number(shared.between(1, 32)), ".iad2.fedoraproject.org</rpm:buildhost>\n",
      "    <rpm:sourcerpm>", source.name, "-", source.version, "-", source.release, ".src.rpm</rpm:sourcerpm>\n",
      "    <rpm:header-range start=\"", number(header), "\" end=\"",
      number(header + 3000 + package.files * 110 + random.below(900)), "\"/>\n");
  DependencyWriter entries(out, source);
  put_provides(entries, source, package);
  put_requires(entries, source, package);
  if (shared.chance(5)) {
    entries.open("obsoletes");
    entries.with_version("LT", source.version, package.name, "-compat");
    entries.close("obsoletes");
  }
  append_primary_files(source, package, "    ", out);
  out += "  </format>\n";
}

void append_primary(const SourcePlan& source, const PackagePlan& package, std::string& out) {
  const PackageFacts known = package_facts(source, package);
  const std::uint64_t installed = known.size * 2 + known.size / 3;
  put(out, "<package type=\"rpm\">\n  <name>", package.name, "</name>\n  <arch>", package.arch, "</arch>\n");
  put_version(out, source);
  put(out, "  <checksum type=\"sha256\" pkgid=\"YES\">", known.pkgid, "</checksum>\n  <summary>");
  put_summary(out, source, package);
  put(out, "</summary>\n  <description>");
  put_description(out, source, package);
  Random shared(derived_seed(source.seed, source_text + 100));
  const std::string_view host = shared.chance(60) ? "github.com/" : "www.example.org/projects/";
  put(out, "</description>\n  <packager>Fedora Project</packager>\n  <url>https://", host, shared.pick_common(k_words),
      "/", source.stem, "</url>\n");
  put(out, "  <time file=\"", number(known.time_file), "\" build=\"", number(build_time(source)),
      "\"/>\n  <size package=\"", number(known.size), "\" installed=\"", number(installed), "\" archive=\"",
      number(installed + 124 * (package.files + 1)), "\"/>\n  <location href=\"", package.href, "\"/>\n");
  put_format(out, source, package);
  out += "</package>\n";
}

void put_head(std::string& out, const SourcePlan& source, const PackagePlan& package) {
  put(out, "<package pkgid=\"", package_facts(source, package).pkgid, "\" name=\"", package.name, "\" arch=\"",
      package.arch, "\">\n");
  put_version(out, source);
}

void append_filelists(const SourcePlan& source, const PackagePlan& package, std::string& out) {
  put_head(out, source, package);
  append_all_files(source, package, "  ", out);
  out += "</package>\n";
}

void put_change(std::string& out, Random& random) {
  const std::uint64_t style = random.below(5);
  if (style == 0) return put(out, "- Rebuilt for Python 3.", number(random.between(9, 12)));
  if (style < 3)
    return put(out, "- Update to ", number(random.below(4)), ".", number(random.below(30)), ".",
               number(random.below(9)), "; Fixes: RHBZ#", number(random.between(1'000'000, 2'300'000)));
  put(out, "- ");
  put_prose(out, random, random.between(3, 14));
}

// The mass rebuilds touch everything on one day of every half year.
constexpr std::uint64_t k_first_rebuild = 17'378;  // Fedora 27, July 2017; a day of Unix time, as below
constexpr std::uint64_t k_rebuild_interval = 183;

std::uint64_t rebuild_after(std::uint64_t day) {
  return day + k_rebuild_interval - (day - k_first_rebuild) % k_rebuild_interval;
}

void put_rebuild(std::string& out, std::uint64_t day) {
  put(out, "- Rebuilt for https://fedoraproject.org/wiki/Fedora_",
      number(27 + (day - k_first_rebuild) / k_rebuild_interval), "_Mass_Rebuild");
}

// One entry for each release, at most ten, oldest first; every package of a source has the same.
void append_other(const SourcePlan& source, const PackagePlan& package, std::string& out) {
  put_head(out, source, package);
  Random random(derived_seed(source.seed, changelog));
  const std::uint64_t changes = std::stoull(source.release);
  std::uint64_t day = build_time(source) / 86400 - changes * 160;
  const std::string_view owner = random.pick_common(k_people);
  for (std::uint64_t i = 1; i <= changes; ++i, day += random.between(20, 110)) {
    const bool is_rebuild = random.chance(62);
    if (is_rebuild) day = rebuild_after(day);
    const std::string_view author = is_rebuild ? k_people[0] : random.chance(80) ? owner : random.pick(k_people);
    put(out, "  <changelog author=\"", author, " - ", source.version, "-", number(i), "\" date=\"",
        number(day * 86400 + 43200), "\">");
    if (is_rebuild)
      put_rebuild(out, day);
    else
      put_change(out, random);
    out += "</changelog>\n";
  }
  out += "</package>\n";
}

}  // namespace

PackageFacts package_facts(const SourcePlan& source, const PackagePlan& package) {
  Random random(derived_seed(package.build, facts));
  PackageFacts result;
  result.pkgid = random_hex(random, 64);
  result.size = 7000 + package.files * random.between(300, 9000) + random.below(20'000);
  result.time_file = build_time(source) + random.below(36 * 3600);
  return result;
}

void append_fragment(MetadataKind kind, const SourcePlan& source, const PackagePlan& package, std::string& out) {
  switch (kind) {
    case MetadataKind::primary: return append_primary(source, package, out);
    case MetadataKind::filelists: return append_filelists(source, package, out);
    case MetadataKind::other: return append_other(source, package, out);
  }
}

}  // namespace repoupdate::bench
