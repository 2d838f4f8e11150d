// SPDX-License-Identifier: Apache-2.0
#include "repodata/xml_parser.hpp"

#include <expat.h>

#include <algorithm>
#include <new>
#include <utility>

#include "repodata/xml_text.hpp"

namespace repoupdate {

std::optional<std::string_view> XmlAttributes::find(std::string_view name) const {
  for (const char** pair = m_pairs; *pair; pair += 2)
    if (name == *pair) return pair[1];
  return std::nullopt;
}

struct XmlParser::State {
  XML_Parser parser = XML_ParserCreate("UTF-8");
  XmlCallbacks callbacks;
  std::size_t depth = 0;
  std::optional<Error> refused;  // by us, where expat would have gone on

  ~State() { XML_ParserFree(parser); }

  static State& of(void* data) { return *static_cast<State*>(data); }

  void refuse(ErrorKind kind, std::string message) {
    refused = Error{kind, std::move(message), {}};
    XML_StopParser(parser, XML_FALSE);
  }

  static void XMLCALL on_start(void* data, const XML_Char* name, const XML_Char** attributes) {
    State& state = of(data);
    if (++state.depth > k_max_xml_depth) return state.refuse(ErrorKind::corrupt, "the XML is nested too deeply");
    if (state.callbacks.start) state.callbacks.start(name, XmlAttributes(attributes));
  }
  static void XMLCALL on_end(void* data, const XML_Char* name) {
    State& state = of(data);
    if (state.callbacks.end) state.callbacks.end(name);
    --state.depth;
  }
  static void XMLCALL on_text(void* data, const XML_Char* text, int length) {
    State& state = of(data);
    if (state.callbacks.text) state.callbacks.text({text, static_cast<std::size_t>(length)});
  }
  static void XMLCALL on_doctype(void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    of(data).refuse(ErrorKind::corrupt, "the XML has a document type declaration");
  }
  static void XMLCALL on_declaration(void* data, const XML_Char*, const XML_Char* encoding, int) {
    if (encoding && !is_utf8_encoding(encoding))
      of(data).refuse(ErrorKind::unsupported, "the encoding of the XML is not UTF-8");
  }

  Result<void> parse(std::string_view piece, bool last) {
    constexpr std::size_t k_step = 1U << 30;  // expat counts with int
    do {
      const std::string_view step = piece.substr(0, k_step);
      piece.remove_prefix(step.size());
      const bool is_last = last && piece.empty();
      if (XML_Parse(parser, step.data(), static_cast<int>(step.size()), is_last) == XML_STATUS_OK) continue;
      if (refused) return *refused;
      return Error{ErrorKind::corrupt,
                   "the XML is not well-formed: " + std::string(XML_ErrorString(XML_GetErrorCode(parser))) +
                       " in line " + std::to_string(XML_GetCurrentLineNumber(parser)),
                   {}};
    } while (!piece.empty());
    return {};
  }
};

XmlParser::XmlParser(XmlCallbacks callbacks) : m_state(std::make_unique<State>()) {
  XML_Parser parser = m_state->parser;
  if (!parser) throw std::bad_alloc();
  m_state->callbacks = std::move(callbacks);
  XML_SetUserData(parser, m_state.get());
  XML_SetElementHandler(parser, State::on_start, State::on_end);
  XML_SetCharacterDataHandler(parser, State::on_text);
  XML_SetStartDoctypeDeclHandler(parser, State::on_doctype);
  XML_SetXmlDeclHandler(parser, State::on_declaration);
}
XmlParser::~XmlParser() = default;

Result<void> XmlParser::feed(std::string_view piece) {
  return m_state->parse(piece, false);
}
Result<void> XmlParser::finish() {
  return m_state->parse({}, true);
}

std::uint64_t XmlParser::event_begin() const {
  return static_cast<std::uint64_t>(XML_GetCurrentByteIndex(m_state->parser));
}
std::uint64_t XmlParser::event_end() const {
  return event_begin() + static_cast<std::uint64_t>(XML_GetCurrentByteCount(m_state->parser));
}

}  // namespace repoupdate
