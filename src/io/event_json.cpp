// SPDX-License-Identifier: Apache-2.0
#include "io/event_json.hpp"

#include <initializer_list>
#include <nlohmann/json.hpp>

#include "io/http.hpp"

namespace repoupdate {
namespace {

using Json = nlohmann::json;

enum class KeyEncoding {
  form,  // application/x-www-form-urlencoded: '+' is a space, %2B a plus
  raw
};

// The text at a path of member names, or null. Nothing here throws: a document of the wrong shape has no text.
const std::string* text_at(const Json& value, std::initializer_list<const char*> path) {
  const Json* here = &value;
  for (const char* name : path) {
    const auto found = here->find(name);
    if (found == here->end()) return nullptr;
    here = &*found;
  }
  return here->get_ptr<const std::string*>();
}

bool has_text(const Json& value, const char* member, std::string_view expected) {
  const std::string* text = text_at(value, {member});
  return text != nullptr && *text == expected;
}

// Fit for a message about it.
std::string excerpt(std::string_view text) {
  return printable_excerpt(text, 60);
}

std::string describe(const Json& value) {
  if (!value.is_object()) return std::string("a JSON ") + value.type_name();
  std::string names;
  for (const auto& member : value.items()) names += (names.empty() ? "" : ", ") + member.key();
  return names.empty() ? "an empty JSON object" : "a JSON object with " + excerpt(names);
}

// Stores write it with or without "s3:" before it.
bool tells_of_removal(const std::string* event) {
  if (event == nullptr) return false;
  std::string_view name = *event;
  if (name.starts_with("s3:")) name.remove_prefix(3);
  return name.starts_with("ObjectRemoved:") || name.starts_with("LifecycleExpiration:");
}

class BodyReader {
public:
  void read_text(std::string_view text, int envelopes, const std::string& where);
  ParsedBody take() && { return std::move(m_parsed); }

private:
  void read_message(const Json& message, int envelopes, const std::string& where);
  void read_record(const Json& record, int envelopes, const std::string& where);
  void read_event_bridge(const Json& message, const std::string& where);
  void add(const std::string* bucket, const std::string* key, KeyEncoding encoding, bool said_gone,
           const std::string& where);
  void fail(const std::string& where, const std::string& problem);

  ParsedBody m_parsed;
};

void BodyReader::fail(const std::string& where, const std::string& problem) {
  constexpr std::size_t k_told = 1000;  // bytes: a body of many bad records is told by its first ones
  if (m_parsed.problem.size() > k_told) return;
  m_parsed.problem += (m_parsed.problem.empty() ? "" : "; ") + where + problem;
}

void BodyReader::add(const std::string* bucket, const std::string* key, KeyEncoding encoding, bool said_gone,
                     const std::string& where) {
  if (bucket == nullptr || bucket->empty()) return fail(where, "names no bucket");
  if (key == nullptr || key->empty()) return fail(where, "names no object key");
  Event event{*bucket, encoding == KeyEncoding::form ? form_decode(*key) : *key, *key, said_gone};
  if (event.key.find('\0') != std::string::npos)
    return fail(where, "the key " + excerpt(event.key) + " has a NUL in it");
  if (event.key.size() > k_max_event_key)
    return fail(where, "the key " + excerpt(event.key) + " is longer than 1024 bytes");
  m_parsed.events.push_back(std::move(event));
}

void BodyReader::read_event_bridge(const Json& message, const std::string& where) {
  const auto detail = message.find("detail");
  if (detail == message.end()) return fail(where, "an EventBridge event without a detail");
  add(text_at(*detail, {"bucket", "name"}), text_at(*detail, {"object", "key"}), KeyEncoding::raw,
      has_text(message, "detail-type", "Object Deleted"), where);
}

void BodyReader::read_record(const Json& record, int envelopes, const std::string& where) {
  if (has_text(record, "eventSource", "aws:sqs")) {
    const std::string* body = text_at(record, {"body"});
    if (body == nullptr) return fail(where, "an SQS record without a body");
    return read_text(*body, envelopes + 1, where);
  }
  if (!record.contains("s3")) return fail(where, "no S3 record but " + describe(record));
  const bool ceph = has_text(record, "eventSource", "ceph:s3");
  add(text_at(record, {"s3", "bucket", "name"}), text_at(record, {"s3", "object", "key"}),
      ceph ? KeyEncoding::raw : KeyEncoding::form, tells_of_removal(text_at(record, {"eventName"})), where);
}

void BodyReader::read_message(const Json& message, int envelopes, const std::string& where) {
  if (const auto records = message.find("Records"); records != message.end()) {
    if (!records->is_array()) return fail(where, "Records is " + describe(*records));
    m_parsed.is_message = true;
    std::size_t number = 0;
    for (const Json& record : *records)
      read_record(record, envelopes, where + "record " + std::to_string(++number) + ": ");
    return;
  }
  const bool is_test = has_text(message, "Event", "s3:TestEvent"), is_bridge = message.contains("detail-type");
  if (is_test || is_bridge) m_parsed.is_message = true;
  if (is_test) return;
  if (is_bridge) return read_event_bridge(message, where);
  if (has_text(message, "Type", "SubscriptionConfirmation"))
    return fail(where, "an SNS subscription that waits for its confirmation: confirm it at the topic");
  if (const std::string* inner = text_at(message, {"Message"}); inner != nullptr && message.contains("TopicArn"))
    return read_text(*inner, envelopes + 1, where);
  fail(where, "neither an S3, SNS, EventBridge nor Lambda event but " + describe(message));
}

void BodyReader::read_text(std::string_view text, int envelopes, const std::string& where) {
  if (envelopes > k_max_event_envelopes) return fail(where, "more than 3 messages within each other");
  bool too_deep = false;
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > k_max_event_nesting;
    return !too_deep;
  };
  const Json message = Json::parse(text, limit_depth, /*allow_exceptions=*/false);
  if (too_deep) return fail(where, "JSON nested deeper than 32 levels");
  if (message.is_discarded()) return fail(where, "no JSON: it begins with " + excerpt(text));
  read_message(message, envelopes, where);
}

}  // namespace

std::string printable_excerpt(std::string_view text, std::size_t most) {
  std::string shown(text.substr(0, most));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return "'" + shown + (text.size() > most ? "...'" : "'");
}

ParsedBody parse_event_body(std::string_view body) {
  if (body.size() > k_max_event_body) return {{}, "the message is larger than 1 MiB", false};
  BodyReader reader;
  reader.read_text(body, 0, "");
  return std::move(reader).take();
}

}  // namespace repoupdate
