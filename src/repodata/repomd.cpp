// SPDX-License-Identifier: Apache-2.0
// Reading. An example of what stands there:
//
//     <repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
//       <revision>1795369177</revision>
//       <tags><distro cpeid="cpe:/o:example">Example</distro></tags>
//       <data type="primary">
//         <checksum type="sha256">1cb6...</checksum> <open-checksum type="sha256">e1e2...</open-checksum>
//         <location href="repodata/1cb6...-primary.xml.gz"/>
//         <timestamp>1795369177</timestamp> <size>134</size> <open-size>167</open-size>
//       </data>
//     </repomd>
#include "repodata/repomd.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "repodata/xml_parser.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

Error corrupt(std::string message) {
  return {ErrorKind::corrupt, "repomd.xml: " + std::move(message), {}};
}
Error unsupported(std::string message) {
  return {ErrorKind::unsupported, "repomd.xml: " + std::move(message), {}};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(k_xml_space), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(k_xml_space) + 1);
}

template <typename Number>
std::optional<Number> leading_number(std::string_view text) {
  Number number{};
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

// Some writers put fractions of seconds there.
std::int64_t floor_of(std::string_view text) {
  const auto whole = leading_number<std::int64_t>(text);
  if (!whole) return 0;
  const bool has_fraction = text.find_first_of("123456789", text.find('.')) != std::string_view::npos &&
                            text.find('.') != std::string_view::npos;
  const bool is_lower = text.starts_with('-') && has_fraction && *whole > std::numeric_limits<std::int64_t>::min();
  return *whole - (is_lower ? 1 : 0);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

// What a reader would resolve to a place outside of the repository, or that cannot be a key.
bool is_bad_href(std::string_view href) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  if (href.empty() || href.starts_with('/') || std::any_of(href.begin(), href.end(), is_control)) return true;
  const std::size_t scheme = href.find_first_of(":/");
  if (scheme != std::string_view::npos && href.substr(scheme).starts_with("://")) return true;
  for (std::size_t begin = 0; begin <= href.size();) {
    const std::size_t end = std::min(href.find('/', begin), href.size());
    if (href.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return false;
}

// "./repodata//x" and "repodata/x" name the same file: compared as keys they must be equal.
std::string as_key(std::string_view href) {
  std::string key;
  for (std::size_t begin = 0; begin < href.size();) {
    const std::size_t end = std::min(href.find('/', begin), href.size());
    const std::string_view segment = href.substr(begin, end - begin);
    if (!segment.empty() && segment != ".") key.append(key.empty() ? "" : "/").append(segment);
    begin = end + 1;
  }
  return key;
}

class RepomdReader {
public:
  explicit RepomdReader(std::string_view xml)
      : m_xml(xml),
        m_parser({[this](std::string_view name, const XmlAttributes& attributes) { on_start(name, attributes); },
                  [this](std::string_view name) { on_end(name); }, [this](std::string_view text) { m_text += text; }}) {
  }

  Result<Repomd> read() {
    auto parsed = m_parser.feed(m_xml);
    if (parsed) parsed = m_parser.finish();
    if (!parsed) return std::move(parsed).error().within("repomd.xml");
    if (!m_is_repomd) return corrupt("the root element is not <repomd>");
    if (m_too_many) return corrupt("more than " + std::to_string(k_max_repomd_records) + " records");
    return std::move(m_repomd);
  }

private:
  std::string raw_since(std::uint64_t begin) const {
    return std::string(m_xml.substr(begin, m_parser.event_end() - begin));
  }

  void on_start(std::string_view name, const XmlAttributes& attributes) {
    m_text.clear();
    switch (++m_depth) {
      case 1:
        m_is_repomd = name == "repomd";
        m_repomd.root_tag = raw_since(m_parser.event_begin());
        break;
      case 2:
        m_begin = m_parser.event_begin();
        m_record = {};
        m_record.type = attributes.find("type").value_or("");
        break;
      case 3: on_record_child(name, attributes); break;
      default: break;
    }
  }

  void on_record_child(std::string_view name, const XmlAttributes& attributes) {
    if (name == "location") {
      m_record.location_href = attributes.find("href").value_or("");
      m_record.location_base = attributes.find("xml:base").value_or("");
    }
    m_checksum_type = attributes.find("type").value_or("");
  }

  void on_end(std::string_view name) {
    if (m_depth == 3) on_record_child_end(name);
    if (m_depth == 2) on_root_child_end(name);
    --m_depth;
  }

  void on_record_child_end(std::string_view name) {
    const std::string_view text = trimmed(m_text);
    if (name == "checksum") {
      m_record.checksum = checksum(text);
    } else if (name == "open-checksum") {
      m_record.open_checksum = checksum(text);
    } else if (name == "size") {
      m_record.size = leading_number<std::uint64_t>(text);
    } else if (name == "open-size") {
      m_record.open_size = leading_number<std::uint64_t>(text);
    } else if (name == "timestamp") {
      m_record.timestamp = floor_of(text);
    }
  }

  void on_root_child_end(std::string_view name) {
    if (name == "data") {
      m_too_many = m_repomd.records.size() >= k_max_repomd_records;
      if (m_too_many) return;
      m_record.raw = raw_since(m_begin);
      m_repomd.records.push_back(std::move(m_record));
    } else if (name == "revision") {
      m_repomd.revision = trimmed(m_text);
    } else if (name == "tags") {
      m_repomd.raw_tags = raw_since(m_begin);
    } else if (name != "contenthash") {
      m_repomd.raw_others += (m_repomd.raw_others.empty() ? "" : "\n  ") + raw_since(m_begin);
    }
  }

  std::optional<Checksum> checksum(std::string_view text) const {
    const auto type = parse_hash_type(m_checksum_type);
    return type ? std::optional<Checksum>({*type, lower(text)}) : std::nullopt;
  }

  std::string_view m_xml;
  XmlParser m_parser;
  Repomd m_repomd;
  RepomdRecord m_record;        // the child of the root that is being read
  std::uint64_t m_begin = 0;    // offset of that child
  std::string m_checksum_type;  // type= of the element at depth 3
  std::string m_text;           // since the last start tag
  std::size_t m_depth = 0;
  bool m_is_repomd = false;
  bool m_too_many = false;
};

Result<void> check_record(const RepomdRecord& record) {
  if (record.type.empty()) return corrupt("a record has no type");
  if (is_bad_href(record.location_href))
    return corrupt("the location of " + quoted(record.type) + " is missing or not below the repository");
  return {};
}

// What is read and written here must be understood completely; the rest only passes through.
Result<void> check_metadata_record(const Repomd& repomd, const MetadataKindInfo& about) {
  const std::string name(about.name);
  const RepomdRecord* record = repomd.find(about.kind);
  if (!record) return corrupt("it names no " + name);
  if (!record->location_base.empty()) return unsupported(name + " lies at another base URL");
  if (!record->checksum && record->raw.find("<checksum") != std::string::npos)
    return unsupported("the checksum of " + name + " has an unknown type");
  return {};
}

}  // namespace

const RepomdRecord* Repomd::find(std::string_view type) const {
  const auto found = std::find_if(records.begin(), records.end(), [&](const auto& r) { return r.type == type; });
  return found == records.end() ? nullptr : &*found;
}

std::int64_t Repomd::newest_timestamp() const {
  std::int64_t newest = 0;
  for (const RepomdRecord& record : records) newest = std::max(newest, record.timestamp);
  return newest;
}

Result<Repomd> parse_repomd(std::string_view xml) {
  if (xml.size() > k_max_repomd_size) return corrupt("larger than " + std::to_string(k_max_repomd_size) + " bytes");
  auto repomd = RepomdReader(xml).read();
  if (!repomd) return repomd;
  for (RepomdRecord& record : repomd->records) {
    if (auto checked = check_record(record); !checked) return std::move(checked).error();
    record.location_href = as_key(record.location_href);
    if (repomd->find(record.type) != &record) return corrupt("it names two records of type " + quoted(record.type));
  }
  for (const auto& about : k_metadata_kinds)
    if (auto checked = check_metadata_record(*repomd, about); !checked) return std::move(checked).error();
  return repomd;
}

}  // namespace repoupdate
