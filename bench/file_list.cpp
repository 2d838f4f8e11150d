// SPDX-License-Identifier: Apache-2.0
#include "file_list.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "random.hpp"
#include "words.hpp"

namespace repoupdate::bench {
namespace {

// Numbers for the primary files come from a stream of their own: primary is made without the others.
enum Purpose : std::uint64_t { primary_files = 11, other_files = 12, build_ids = 13 };

// Appends elements until there are as many as the package has; further ones are dropped.
class FileWriter {
public:
  FileWriter(std::string& out, std::string_view indent, std::size_t files)
      : m_out(out), m_indent(indent), m_left(files) {}

  template <typename... Parts>
  void file(const Parts&... parts) {
    element("<file>", parts...);
  }
  template <typename... Parts>
  void directory(const Parts&... parts) {
    element("<file type=\"dir\">", parts...);
  }
  std::size_t left() const { return m_left; }

private:
  template <typename... Parts>
  void element(std::string_view tag, const Parts&... parts) {
    if (m_left == 0) return;
    --m_left;
    m_out.append(m_indent).append(tag);
    (m_out.append(parts), ...);
    m_out.append("</file>\n");
  }

  std::string& m_out;
  std::string_view m_indent;
  std::size_t m_left;
};

struct Listing {
  const SourcePlan& source;
  const PackagePlan& package;
  FileWriter& files;
  Random random;
  std::string_view lib = package.arch == "i686" ? "/usr/lib/" : "/usr/lib64/";
};

bool has_programs(const SourcePlan& source, const PackagePlan& package) {
  return package.role == Role::tools || (package.role == Role::main && source.ecosystem == Ecosystem::plain);
}

void add_primary_files(Listing& in) {
  if (!has_programs(in.source, in.package)) return;
  Random& random = in.random;
  const std::string& stem = in.source.stem;
  if (random.chance(20)) in.files.file("/etc/", stem, ".conf");
  if (random.chance(10)) {
    in.files.directory("/etc/", stem);
    for (std::uint64_t left = random.between(1, 6); left > 0; --left)
      in.files.file("/etc/", stem, "/", random.pick_common(k_words), ".conf");
  }
  if (random.chance(80)) in.files.file("/usr/bin/", stem);
  for (std::uint64_t left = random.chance(30) ? random.between(1, 9) : 0; left > 0; --left)
    in.files.file("/usr/bin/", stem, "-", random.pick_common(k_words));
}

// Links to the binaries by the hash of their contents: the part of filelists that does not compress.
void add_build_ids(Listing& in) {
  if (in.package.arch == "noarch" || in.package.role == Role::devel) return;
  constexpr std::string_view k_digits = "0123456789abcdef";
  Random random(derived_seed(in.package.build, build_ids));
  in.files.directory("/usr/lib/.build-id");
  const std::uint64_t most = std::min<std::uint64_t>(30, in.files.left() / 6);
  for (std::uint64_t left = std::max<std::uint64_t>(1, random.below(most + 1)); left > 0; --left) {
    std::string id;
    for (int i = 0; i < 40; ++i) id += k_digits[random.below(16)];
    const std::string_view start = std::string_view(id).substr(0, 2);
    in.files.directory("/usr/lib/.build-id/", start);
    in.files.file("/usr/lib/.build-id/", start, "/", std::string_view(id).substr(2));
  }
}

void add_documents(Listing& in) {
  const std::string& name = in.package.name;
  in.files.directory("/usr/share/doc/", name);
  if (in.random.chance(50)) in.files.file("/usr/share/doc/", name, "/AUTHORS");
  if (in.random.chance(50)) in.files.file("/usr/share/doc/", name, "/ChangeLog");
  if (in.random.chance(50)) in.files.file("/usr/share/doc/", name, "/NEWS");
  in.files.file("/usr/share/doc/", name, in.random.chance(50) ? "/README.md" : "/README");
  in.files.directory("/usr/share/licenses/", name);
  in.files.file("/usr/share/licenses/", name, in.random.chance(50) ? "/LICENSE" : "/COPYING");
}

void add_translations(Listing& in) {
  if (in.files.left() < 40 || !in.random.chance(45)) return;
  const unsigned percent = static_cast<unsigned>(in.random.between(30, 100));
  for (const std::string_view language : k_languages)
    if (in.random.chance(percent))
      in.files.file("/usr/share/locale/", language, "/LC_MESSAGES/", in.source.stem, ".mo");
}

void add_manual(Listing& in, std::string_view section) {
  const std::uint64_t most = std::min<std::uint64_t>(40, in.files.left() / 4 + 1);
  for (std::uint64_t left = in.random.below(most + 1); left > 0; --left)
    in.files.file("/usr/share/man/man", section, "/", in.source.stem, "-", in.random.pick_common(k_words), ".", section,
                  ".gz");
}

// A name of a file of a larger tree: "image-list", "theme_icon_panel", "mesh412".
void leaf_name(Random& random, std::string& name) {
  name = random.pick_common(k_words);
  const std::uint64_t style = random.below(16);
  if (style < 10) name.append(style < 5 ? "_" : "-").append(random.pick(k_words));
  if (style < 3 || style == 9) name.append("_").append(random.pick(k_words));
  if (style > 11) name += std::to_string(random.below(100'000));
}

// Fills up with a tree below `root`: directories of a few to a few dozen files.
void add_tree(Listing& in, std::string_view root, std::span<const std::string_view> endings) {
  Random& random = in.random;
  std::string directory(root);
  std::string name;
  in.files.directory(directory);
  std::string_view ending = random.pick_common(endings);
  for (std::uint64_t here = random.between(2, 30); in.files.left() > 0; --here) {
    if (here == 0) {
      directory = root;
      for (std::uint64_t depth = random.between(1, 3); depth > 0; --depth)
        directory.append("/").append(random.pick_common(k_words));
      in.files.directory(directory);
      ending = random.pick_common(endings);
      here = random.between(2, 30);
    }
    leaf_name(random, name);
    in.files.file(directory, "/", name, random.chance(90) ? ending : random.pick(endings));
  }
}

constexpr auto k_data_endings = std::to_array<std::string_view>({".png", ".xml", ".svg", ".dat", ".txt", ".json"});
constexpr auto k_document_endings = std::to_array<std::string_view>({".html", ".png", ".js", ".txt", ".css"});
constexpr auto k_header_endings = std::to_array<std::string_view>({".h", ".hpp", ".hxx"});
constexpr auto k_rust_endings = std::to_array<std::string_view>({".rs", ".toml", ".md"});
constexpr auto k_golang_endings = std::to_array<std::string_view>({".go", "_test.go", ".md"});
constexpr auto k_texlive_endings = std::to_array<std::string_view>({".sty", ".tex", ".tfm", ".def", ".pfb", ".vf"});
constexpr auto k_perl_endings = std::to_array<std::string_view>({".pm", ".t", ".pod"});

// Each module is there as source and compiled twice.
void add_python_tree(Listing& in) {
  std::string root = "/usr/lib/python3.12/site-packages/" + in.source.stem;
  in.files.directory(root, "-", in.source.version, ".dist-info");
  for (const std::string_view file : {"INSTALLER", "METADATA", "WHEEL", "top_level.txt"})
    in.files.file(root, "-", in.source.version, ".dist-info/", file);
  std::string directory = root;
  std::string name = "__init__";
  std::uint64_t here = 0;
  while (in.files.left() > 0) {
    if (here == 0) {
      in.files.directory(directory);
      in.files.directory(directory, "/__pycache__");
      here = in.random.between(3, 15);
    }
    in.files.file(directory, "/__pycache__/", name, ".cpython-312.opt-1.pyc");
    in.files.file(directory, "/__pycache__/", name, ".cpython-312.pyc");
    in.files.file(directory, "/", name, ".py");
    leaf_name(in.random, name);
    if (--here > 0) continue;
    directory = root + "/" + std::string(in.random.pick_common(k_words));
    if (in.random.chance(40)) directory.append("/").append(in.random.pick_common(k_words));
    name = "__init__";
  }
}

void add_library(Listing& in) {
  const std::string name = soname_stem(in.source);
  const std::string major = std::to_string(in.source.seed % 9);
  if (in.package.role == Role::devel) {
    in.files.file(in.lib, name, ".so");
    in.files.file(in.lib, "pkgconfig/", in.source.stem, ".pc");
    return;
  }
  in.files.file(in.lib, name, ".so.", major);
  in.files.file(in.lib, name, ".so.", major, ".", in.source.version);
}

void add_plain_files(Listing& in) {
  const std::string& stem = in.source.stem;
  switch (in.package.role) {
    case Role::devel:
      add_library(in);
      add_manual(in, "3");
      return add_tree(in, "/usr/include/" + stem, k_header_endings);
    case Role::doc: return add_tree(in, "/usr/share/doc/" + in.package.name + "/html", k_document_endings);
    case Role::libs:
      add_build_ids(in);
      add_library(in);
      add_documents(in);
      return add_tree(in, std::string(in.lib) + stem, std::to_array<std::string_view>({".so", ".dat"}));
    case Role::main:
    case Role::tools:
    case Role::data:
    case Role::feature: break;
  }
  add_build_ids(in);
  add_documents(in);
  add_translations(in);
  add_manual(in, "1");
  add_tree(in, "/usr/share/" + stem, k_data_endings);
}

void add_other_files(Listing& in) {
  const std::string& stem = in.source.stem;
  switch (in.source.ecosystem) {
    case Ecosystem::python:
      if (in.package.role == Role::doc) break;
      return add_python_tree(in);
    case Ecosystem::perl:
      add_documents(in);
      add_manual(in, "3pm");
      return add_tree(in, "/usr/share/perl5/vendor_perl/" + stem.substr(0, stem.find('-')), k_perl_endings);
    case Ecosystem::rust:
      return add_tree(in, "/usr/share/cargo/registry/" + stem + "-" + in.source.version, k_rust_endings);
    case Ecosystem::golang:
      return add_tree(in, "/usr/share/gocode/src/github.com/" + stem.substr(0, stem.find('-')) + "/" + stem,
                      k_golang_endings);
    case Ecosystem::texlive:
      return add_tree(in,
                      in.package.role == Role::doc ? "/usr/share/texlive/texmf-dist/doc/latex/" + stem
                                                   : "/usr/share/texlive/texmf-dist/tex/latex/" + stem,
                      k_texlive_endings);
    case Ecosystem::plain:
    case Ecosystem::lib: break;
  }
  add_plain_files(in);
}

}  // namespace

void append_primary_files(const SourcePlan& source, const PackagePlan& package, std::string_view indent,
                          std::string& out) {
  FileWriter files(out, indent, package.files);
  Listing listing{source, package, files, Random(derived_seed(package.seed, primary_files))};
  add_primary_files(listing);
}

void append_all_files(const SourcePlan& source, const PackagePlan& package, std::string_view indent, std::string& out) {
  FileWriter files(out, indent, package.files);
  Listing listing{source, package, files, Random(derived_seed(package.seed, primary_files))};
  add_primary_files(listing);
  listing.random = Random(derived_seed(package.seed, other_files));
  add_other_files(listing);
}

}  // namespace repoupdate::bench
