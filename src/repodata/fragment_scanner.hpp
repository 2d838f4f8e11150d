// SPDX-License-Identifier: Apache-2.0
// Finds where the packages lie in the open XML of primary, filelists or other:
//
//     <?xml version="1.0" encoding="UTF-8"?>                             \ prolog
//     <filelists xmlns="http://..." packages="2">                        /
//     <package pkgid="..." name="a" arch="noarch">...</package>            fragment
//     <package pkgid="..." name="b" arch="noarch">...</package>            gap ("\n"), fragment
//     </filelists>                                                         gap ("\n"), trailer
//
// It does not parse: it goes from '<' to '<' and looks at what begins there, which is enough, because a '<' begins
// markup everywhere but in comments, CDATA sections and processing instructions. That runs at the speed of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"

namespace repoupdate {

inline constexpr std::size_t k_max_fragment_size = 256U << 20;  // bytes of a prolog, fragment, gap or trailer
inline constexpr std::size_t k_max_tag_size = 1U << 20;         // bytes of a tag that has to be read whole

struct MetadataItem {
  enum class Kind {
    prolog,    // up to and including the root's start tag; `<metadata .../>` too
    gap,       // white space, comments, processing instructions between the packages; never empty
    fragment,  // one <package> element
    trailer,   // the root's end tag and all behind it; without the end tag when the root was `<metadata .../>`
  };
  Kind kind = Kind::prolog;
  std::string_view bytes;  // until the next feed()
};

// Takes a document in pieces, gives it back in items: one prolog, fragments and gaps, one trailer. Concatenated they
// are the document.
class FragmentScanner {
public:
  explicit FragmentScanner(MetadataKind kind) : m_root(info(kind).root) {}

  void feed(std::string_view piece);
  void finish() { m_finished = true; }  // no more pieces

  // The next item; nothing when more must be fed, and after the trailer. corrupt: the document ends too early,
  // is another one, or exceeds a limit. unsupported: elements that are no packages, a document type.
  // Not to be called again after an error.
  Result<std::optional<MetadataItem>> next();

private:
  enum class Place { before_root, between_packages, in_package, after_root, done };

  // Each step understands some more of the buffer and leaves an item in m_item when one is complete; false when
  // it needs more than there is.
  Result<bool> step();
  Result<bool> step_before_root();
  Result<bool> step_between_packages();
  Result<bool> step_in_package();
  Result<std::optional<MetadataItem>> at_end_of_buffer();

  Result<bool> go_to_markup();
  bool go_to_package_markup();
  bool can_classify() const;
  bool skip_non_tag();
  bool leave_non_tag();
  Result<bool> read_tag();
  std::string_view rest() const { return std::string_view(m_buffer).substr(m_at); }
  Result<bool> take(MetadataItem::Kind kind, std::size_t end);

  std::string_view m_root;
  std::string m_buffer;
  std::size_t m_begin = 0;        // of the item that is being looked for
  std::size_t m_at = 0;           // all before it is understood
  std::string_view m_tag;         // the tag at m_at, whole, after read_tag()
  int m_depth = 0;                // open <package> elements
  std::string_view m_terminator;  // of the comment, CDATA section or instruction that m_at is in; empty: in none
  std::optional<MetadataItem> m_item;
  Place m_place = Place::before_root;
  bool m_finished = false;
};

}  // namespace repoupdate
