// SPDX-License-Identifier: Apache-2.0
#include "repodata/fragment_reader.hpp"

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

Result<std::string> read_fragment_href(std::string_view fragment) {
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
