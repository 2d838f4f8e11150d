// SPDX-License-Identifier: Apache-2.0
#include "repodata/careful_reader.hpp"

#include <charconv>

namespace repoupdate {
namespace {

template <typename Number>
Number number_of(std::optional<std::string_view> text) {
  Number number{};
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

std::string string_of(std::optional<std::string_view> text) {
  return std::string(text.value_or(""));
}

}  // namespace

CarefulReader::CarefulReader(MetadataKind kind)
    : m_kind(kind),
      m_parser({[this](std::string_view name, const XmlAttributes& attributes) { on_start(name, attributes); },
                [this](std::string_view name) { on_end(name); }, [this](std::string_view text) { m_text += text; }}) {}

Result<void> CarefulReader::feed(std::string_view piece) {
  return m_parser.feed(piece);
}

Result<void> CarefulReader::finish() {
  auto finished = m_parser.finish();
  if (finished && !m_is_root_right)
    return Error{ErrorKind::corrupt, "the root element is not <" + std::string(info(m_kind).root) + ">", {}};
  return finished;
}

void CarefulReader::on_start(std::string_view name, const XmlAttributes& attributes) {
  m_text.clear();
  switch (++m_depth) {
    case 1:
      m_is_root_right = name == info(m_kind).root;
      m_listing.stated_count = string_of(attributes.find("packages"));
      break;
    case 2:
      m_in_package = name == "package";
      if (m_in_package) on_package_start(attributes);
      break;
    case 3:
      if (m_in_package) on_child_start(name, attributes);
      break;
    default: break;
  }
}

void CarefulReader::on_package_start(const XmlAttributes& attributes) {
  CarefulPackage& package = m_listing.packages.emplace_back();
  package.begin = m_parser.event_begin();
  if (m_kind == MetadataKind::primary) return;
  package.entry.pkgid = string_of(attributes.find("pkgid"));
  package.entry.nevra.name = string_of(attributes.find("name"));
  package.entry.nevra.arch = string_of(attributes.find("arch"));
}

void CarefulReader::on_child_start(std::string_view name, const XmlAttributes& attributes) {
  IndexEntry& entry = m_listing.packages.back().entry;
  if (name == "version") {
    entry.nevra.version = string_of(attributes.find("ver"));
    entry.nevra.release = string_of(attributes.find("rel"));
    const std::string epoch = string_of(attributes.find("epoch"));
    entry.nevra.epoch = epoch.empty() ? "0" : epoch;
  } else if (name == "location") {
    entry.location_href = string_of(attributes.find("href"));
    entry.location_base = string_of(attributes.find("xml:base"));
  } else if (name == "size") {
    entry.size = number_of<std::uint64_t>(attributes.find("package"));
  } else if (name == "time") {
    entry.time_file = number_of<std::int64_t>(attributes.find("file"));
  }
}

void CarefulReader::on_end(std::string_view name) {
  if (m_in_package && m_depth == 3 && m_kind == MetadataKind::primary) {
    IndexEntry& entry = m_listing.packages.back().entry;
    if (name == "name") entry.nevra.name = m_text;
    if (name == "arch") entry.nevra.arch = m_text;
    if (name == "checksum") entry.pkgid = m_text;
  }
  if (m_in_package && m_depth == 2) {
    m_listing.packages.back().end = m_parser.event_end();
    m_in_package = false;
  }
  --m_depth;
}

}  // namespace repoupdate
