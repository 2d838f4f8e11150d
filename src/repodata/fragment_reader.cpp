// SPDX-License-Identifier: Apache-2.0
#include "repodata/fragment_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "repodata/tag_walker.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

// Fills an entry from the children of one <package>.
class EntryReader {
public:
  explicit EntryReader(std::string_view fragment) : m_walker(fragment) {}

  Result<IndexEntry> read() {
    m_walker.next();  // <package> itself
    std::size_t depth = 0;
    for (auto tag = m_walker.next(); tag && !m_missing.none(); tag = m_walker.next()) {
      if (tag->kind == Tag::Kind::end) {
        if (depth == 0) break;
        --depth;
        continue;
      }
      if (depth == 0) read_child(*tag);
      if (tag->kind == Tag::Kind::start) ++depth;
    }
    if (const char* missing = m_missing.required()) {
      std::string message = "the package ";
      message.append(quoted(m_entry.nevra.name)).append(" has no readable <").append(missing).append(">");
      return Error{ErrorKind::unsupported, std::move(message), {}};
    }
    return std::move(m_entry);
  }

private:
  // Children that have not been seen yet.
  struct Missing {
    bool name = true, arch = true, version = true, checksum = true, location = true, size = true, time = true;

    bool none() const { return !required() && !size && !time; }
    const char* required() const {
      return name       ? "name"
             : arch     ? "arch"
             : version  ? "version"
             : checksum ? "checksum"
             : location ? "location"
                        : nullptr;
    }
  };

  void read_child(const Tag& tag) {
    if (tag.name == "name") {
      m_missing.name = !read_text(tag, m_entry.nevra.name);
    } else if (tag.name == "arch") {
      m_missing.arch = !read_text(tag, m_entry.nevra.arch);
    } else if (tag.name == "version") {
      m_missing.version = !read_version(tag);
    } else if (tag.name == "checksum") {
      if (attribute(tag.attributes, "pkgid") != "NO") m_missing.checksum = !read_text(tag, m_entry.pkgid);
    } else if (tag.name == "location") {
      m_missing.location = !read_location(tag);
    } else if (tag.name == "size") {
      m_missing.size = !read_number(tag, "package", m_entry.size);
    } else if (tag.name == "time") {
      m_missing.time = !read_number(tag, "file", m_entry.time_file);
    }
  }

  bool read_text(const Tag& tag, std::string& into) {
    if (tag.kind != Tag::Kind::start) return false;
    auto text = m_walker.text();
    if (!text || text->empty()) return false;
    into = std::move(*text);
    return true;
  }

  bool read_version(const Tag& tag) {
    auto version = attribute(tag.attributes, "ver");
    if (!version) return false;
    Nevra& nevra = m_entry.nevra;
    nevra.version = std::move(*version);
    nevra.release = attribute(tag.attributes, "rel").value_or("");
    auto epoch = attribute(tag.attributes, "epoch");
    if (epoch && !epoch->empty()) nevra.epoch = *std::move(epoch);
    return true;
  }

  bool read_location(const Tag& tag) {
    auto href = attribute(tag.attributes, "href");
    if (!href || href->empty()) return false;
    m_entry.location_href = std::move(*href);
    m_entry.location_base = attribute(tag.attributes, "xml:base").value_or("");
    return true;
  }

  template <typename Number>
  static bool read_number(const Tag& tag, std::string_view name, Number& into) {
    const auto text = attribute(tag.attributes, name);
    return text && std::from_chars(text->data(), text->data() + text->size(), into).ec == std::errc();
  }

  TagWalker m_walker;
  IndexEntry m_entry;
  Missing m_missing;
};

}  // namespace

Result<IndexEntry> read_primary_fragment(std::string_view fragment) {
  return EntryReader(fragment).read();
}

namespace {

// Elements that hold no others, of those that createrepo_c writes before <location>.
bool is_leaf(std::string_view name) {
  constexpr std::array<std::string_view, 10> k_leaves{"name",        "arch",     "version", "checksum", "summary",
                                                      "description", "packager", "url",     "time",     "size"};
  return std::ranges::find(k_leaves, name) != k_leaves.end();
}

// The attributes of <location> in a fragment of createrepo_c's layout; nothing when it is laid out in another way.
// From '<' to '<', which is many times faster than from tag to tag.
std::optional<std::string_view> usual_location(std::string_view fragment) {
  for (std::size_t at = fragment.find('<', 1); at != std::string_view::npos; at = fragment.find('<', at + 1)) {
    const std::string_view tag = fragment.substr(at + 1, 16);
    if (tag.starts_with('/')) continue;
    const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n/>"));
    if (name == "location") {
      const std::size_t begin = at + 1 + name.size(), end = find_tag_end(fragment, begin);
      if (end == std::string_view::npos) return std::nullopt;
      return fragment.substr(begin, end - begin);
    }
    if (!is_leaf(name)) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> read_fragment_href(std::string_view fragment) {
  if (const auto usual = usual_location(fragment))
    if (auto href = attribute(*usual, "href"); href && !href->empty()) return std::move(*href);
  TagWalker walker(fragment);
  walker.next();  // <package> itself
  std::size_t depth = 0;
  for (auto tag = walker.next(); tag; tag = walker.next()) {
    if (tag->kind == Tag::Kind::end) {
      if (depth-- == 0) break;
    } else if (depth == 0 && tag->name == "location") {
      auto href = attribute(tag->attributes, "href");
      if (href && !href->empty()) return std::move(*href);
    } else if (tag->kind == Tag::Kind::start) {
      ++depth;
    }
  }
  return Error{ErrorKind::unsupported, "a package has no readable <location>", {}};
}

Result<std::string> read_fragment_pkgid(std::string_view fragment) {
  const auto tag = TagWalker(fragment).next();
  auto pkgid = tag ? attribute(tag->attributes, "pkgid") : std::nullopt;
  if (!pkgid || pkgid->empty()) return Error{ErrorKind::unsupported, "a package has no pkgid", {}};
  return std::move(*pkgid);
}

}  // namespace repoupdate
