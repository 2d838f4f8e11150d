// SPDX-License-Identifier: Apache-2.0
#include "repodata/prolog.hpp"

#include <utility>

#include "repodata/tag_walker.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_count = "packages";
constexpr std::string_view k_default_namespace = "xmlns";
constexpr std::string_view k_rpm_namespace = "xmlns:rpm";

Error unsupported(std::string message) {
  return {ErrorKind::unsupported, std::move(message), {}};
}

// The attributes of `<?xml version="1.0" encoding="UTF-8"?>`; empty when there is none.
std::string_view declaration(std::string_view xml) {
  constexpr std::string_view begin = "<?xml";
  if (xml.starts_with(k_utf8_bom)) xml.remove_prefix(k_utf8_bom.size());
  const std::size_t end = xml.find("?>");
  if (!xml.starts_with(begin) || end == std::string_view::npos) return {};
  return xml.substr(begin.size(), end - begin.size());
}

}  // namespace

Result<Prolog> read_prolog(MetadataKind kind, std::string_view bytes) {
  if (const auto encoding = raw_attribute(declaration(bytes), "encoding"); encoding && !is_utf8_encoding(*encoding))
    return unsupported("its encoding is not UTF-8");
  const auto root = TagWalker(bytes).next();
  if (!root) return Error{ErrorKind::corrupt, "it has no root element", {}};

  if (attribute(root->attributes, k_default_namespace) != info(kind).xml_namespace)
    return unsupported("its default namespace is not " + std::string(info(kind).xml_namespace));
  const auto rpm_namespace = attribute(info(kind).root_attributes, k_rpm_namespace);
  if (rpm_namespace && attribute(root->attributes, k_rpm_namespace) != rpm_namespace)
    return unsupported("its namespace prefix rpm does not stand for " + *rpm_namespace);

  const auto offset = [&](const char* position) { return static_cast<std::size_t>(position - bytes.data()); };
  Prolog prolog;
  prolog.root_was_empty = root->kind == Tag::Kind::empty;
  const std::size_t tag_end = offset(root->attributes.data()) + root->attributes.size();
  if (const auto count = raw_attribute(root->attributes, k_count)) {
    prolog.before_count = bytes.substr(0, offset(count->data()));
    const std::size_t behind = offset(count->data()) + count->size();
    prolog.after_count = std::string(bytes.substr(behind, tag_end - behind)) + '>';
  } else {
    prolog.before_count = std::string(bytes.substr(0, tag_end)) + " packages=\"";
    prolog.after_count = "\">";
  }
  return prolog;
}

std::string with_count(const Prolog& prolog, std::size_t packages) {
  return prolog.before_count + std::to_string(packages) + prolog.after_count;
}

std::string empty_document(MetadataKind kind) {
  const MetadataKindInfo& about = info(kind);
  const std::string root(about.root);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" + root + " xmlns=\"" + std::string(about.xml_namespace) + '"' +
         std::string(about.root_attributes) + " packages=\"0\">\n</" + root + '>';
}

}  // namespace repoupdate
