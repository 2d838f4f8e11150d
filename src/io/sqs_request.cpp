// SPDX-License-Identifier: Apache-2.0
#include "io/sqs_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "io/aws_endpoint.hpp"
#include "io/aws_error.hpp"
#include "io/http.hpp"
#include "io/json_text.hpp"

namespace repoupdate {
namespace {

using Json = nlohmann::json;

// Never throws: bytes that are no UTF-8 are replaced.
std::string to_text(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Json> parse_answer(std::string_view answer) {
  Json parsed = Json::parse(answer, nullptr, false);
  if (!parsed.is_object()) return Error{ErrorKind::corrupt, "the answer is no JSON object", {}};
  return parsed;
}

// Numbers come as text in attributes, and as either in a redrive policy. 0: there is none.
int count_of(const Json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end()) return 0;
  if (found->is_number_integer()) return found->get<int>();
  const std::string text = json_text(object, member);
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Milliseconds since the epoch, as text.
std::optional<ExactTime> time_of(const Json& object, const char* member) {
  const std::string text = json_text(object, member);
  std::int64_t milliseconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (failure != std::errc{} || end != text.data() + text.size() || milliseconds <= 0) return std::nullopt;
  return ExactTime(std::chrono::milliseconds(milliseconds));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter_or_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_queue_name(std::string_view name) {
  return !name.empty() && name.size() <= 80 &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

bool is_account(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), is_digit);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  return parts;
}

// "eu-west-1": what other words in a host's name do not look like.
bool is_region(std::string_view label) {
  return label.find('-') != std::string_view::npos && is_digit(label.back());
}

// sqs.REGION.amazonaws.com, also with -fips or behind a VPC endpoint; formerly REGION.queue.amazonaws.com.
std::string region_of(std::string_view host) {
  const auto labels = split(host.substr(0, host.find(':')), '.');
  for (std::size_t i = 0; i + 1 < labels.size(); ++i) {
    if ((labels[i] == "sqs" || labels[i] == "sqs-fips") && is_region(labels[i + 1])) return std::string(labels[i + 1]);
    if (is_region(labels[i]) && labels[i + 1] == "queue") return std::string(labels[i]);
  }
  return host == "queue.amazonaws.com" ? "us-east-1" : "";
}

std::optional<SqsQueueAddress> from_url(std::string_view text) {
  const auto endpoint = parse_endpoint_url(text);
  if (!endpoint) return std::nullopt;
  const auto parts = split(endpoint->path, '/');
  if (parts.size() < 2) return std::nullopt;
  SqsQueueAddress queue{std::string(parts.back()), {}, region_of(endpoint->host), std::string(text)};
  if (is_account(parts[parts.size() - 2])) queue.account = parts[parts.size() - 2];
  return queue;
}

std::optional<SqsQueueAddress> from_arn(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 6 || parts[2] != "sqs" || parts[3].empty() || !is_account(parts[4])) return std::nullopt;
  return SqsQueueAddress{std::string(parts[5]), std::string(parts[4]), std::string(parts[3]), {}};
}

// A key that arrives as another one would be looked at and found missing, and the event acknowledged. Not every server
// states an MD5.
bool is_damaged(const std::string& body, const std::string& stated_md5) {
  constexpr std::size_t k_md5_digits = 32;
  return stated_md5.size() == k_md5_digits && hash_hex(HashType::md5, body) != stated_md5;
}

Json batch_entries(std::span<const Receipt> receipts) {
  Json entries = Json::array();
  for (std::size_t i = 0; i < receipts.size(); ++i)
    entries.push_back({{"Id", std::to_string(i)}, {"ReceiptHandle", receipts[i].handle}});
  return entries;
}

// Calls `use` with the verdict that an entry of `list` is about.
template <typename Use>
void for_each_entry(const Json& answer, const char* list, std::vector<SqsVerdict>& verdicts, const Use& use) {
  const auto entries = answer.find(list);
  if (entries == answer.end() || !entries->is_array()) return;
  for (const Json& entry : *entries) {
    const std::string id = json_text(entry, "Id");
    std::size_t index = verdicts.size();
    std::from_chars(id.data(), id.data() + id.size(), index);
    if (index < verdicts.size()) use(entry, verdicts[index]);
  }
}

}  // namespace

Result<SqsQueueAddress> parse_sqs_queue(std::string_view text) {
  std::optional<SqsQueueAddress> queue;
  if (text.find("://") != std::string_view::npos)
    queue = from_url(text);
  else if (text.starts_with("arn:"))
    queue = from_arn(text);
  else
    queue = SqsQueueAddress{std::string(text), {}, {}, {}};
  if (queue && queue->name.ends_with(".fifo"))
    return Error{
        ErrorKind::unsupported,
        "queue '" + one_line(queue->name) + "' is a FIFO queue, which S3 cannot notify: create a standard queue",
        {}};
  if (!queue || !is_queue_name(queue->name))
    return Error{ErrorKind::invalid,
                 "'" + one_line(without_userinfo(text)) + "' is no SQS queue; expected its name, its ARN or its URL",
                 {}};
  return *std::move(queue);
}

std::string to_string(const SqsQueueAddress& queue) {
  return "sqs://" + queue.region + '/' + (queue.account.empty() ? "" : queue.account + '/') + queue.name;
}

std::string sqs_get_queue_url_body(const SqsQueueAddress& queue) {
  Json body = {{"QueueName", queue.name}};
  if (!queue.account.empty()) body["QueueOwnerAWSAccountId"] = queue.account;
  return to_text(body);
}

std::string sqs_redrive_policy_body(const std::string& queue_url) {
  return to_text({{"QueueUrl", queue_url}, {"AttributeNames", {"RedrivePolicy"}}});
}

std::string sqs_receive_body(const std::string& queue_url, std::chrono::seconds wait, std::chrono::seconds visibility) {
  // AttributeNames is the older spelling of MessageSystemAttributeNames, and the one that every server knows.
  return to_text({{"QueueUrl", queue_url},
                  {"AttributeNames", {"ApproximateReceiveCount", "SentTimestamp"}},
                  {"MaxNumberOfMessages", k_sqs_batch},
                  {"WaitTimeSeconds", wait.count()},
                  {"VisibilityTimeout", visibility.count()}});
}

std::string sqs_delete_body(const std::string& queue_url, std::span<const Receipt> receipts) {
  return to_text({{"QueueUrl", queue_url}, {"Entries", batch_entries(receipts)}});
}

std::string sqs_visibility_body(const std::string& queue_url, std::span<const Receipt> receipts,
                                std::chrono::seconds visibility) {
  Json entries = batch_entries(receipts);
  for (Json& entry : entries) entry["VisibilityTimeout"] = visibility.count();
  return to_text({{"QueueUrl", queue_url}, {"Entries", std::move(entries)}});
}

Result<std::string> parse_sqs_queue_url(std::string_view answer) {
  const auto parsed = parse_answer(answer);
  if (!parsed) return parsed.error();
  std::string url = json_text(*parsed, "QueueUrl");
  if (url.empty()) return Error{ErrorKind::corrupt, "the answer has no QueueUrl", {}};
  return url;
}

Result<std::optional<SqsRedrivePolicy>> parse_sqs_redrive_policy(std::string_view answer) {
  const auto parsed = parse_answer(answer);
  if (!parsed) return parsed.error();
  const auto attributes = parsed->find("Attributes");
  if (attributes == parsed->end()) return std::optional<SqsRedrivePolicy>();
  const std::string text = json_text(*attributes, "RedrivePolicy");
  if (text.empty()) return std::optional<SqsRedrivePolicy>();
  const Json policy = Json::parse(text, nullptr, false);
  SqsRedrivePolicy redrive{json_text(policy, "deadLetterTargetArn"), count_of(policy, "maxReceiveCount")};
  if (redrive.dead_letter_queue.empty() || redrive.max_receives < 1)
    return Error{ErrorKind::corrupt, "the answer has a RedrivePolicy without queue or count", {}};
  return std::optional(std::move(redrive));
}

Result<std::vector<SqsMessage>> parse_sqs_messages(std::string_view answer) {
  const auto parsed = parse_answer(answer);
  if (!parsed) return parsed.error();
  std::vector<SqsMessage> messages;
  const auto list = parsed->find("Messages");
  if (list == parsed->end() || list->is_null()) return messages;  // nothing came
  for (const Json& entry : *list) {
    SqsMessage message{json_text(entry, "MessageId"), json_text(entry, "ReceiptHandle"), json_text(entry, "Body")};
    if (const auto attributes = entry.find("Attributes"); attributes != entry.end()) {
      message.receives = count_of(*attributes, "ApproximateReceiveCount");
      message.sent = time_of(*attributes, "SentTimestamp");
    }
    if (message.id.empty() || message.receipt_handle.empty())
      return Error{ErrorKind::corrupt, "the answer has a message without id or receipt handle", {}};
    if (is_damaged(message.body, json_text(entry, "MD5OfBody")))
      return Error{ErrorKind::corrupt, "message " + message.id + " arrived with other bytes than its MD5 is of", {}};
    messages.push_back(std::move(message));
  }
  return messages;
}

Result<std::vector<SqsVerdict>> parse_sqs_verdicts(std::string_view answer, std::size_t count) {
  using Outcome = SqsVerdict::Outcome;
  const auto parsed = parse_answer(answer);
  if (!parsed) return parsed.error();
  std::vector<SqsVerdict> verdicts(count, {Outcome::failed, "not mentioned in the answer"});
  for_each_entry(*parsed, "Successful", verdicts, [](const Json&, SqsVerdict& verdict) {
    verdict = {Outcome::done, {}};
  });
  for_each_entry(*parsed, "Failed", verdicts, [](const Json& entry, SqsVerdict& verdict) {
    const auto fault = entry.find("SenderFault");
    const bool is_ours = fault != entry.end() && fault->is_boolean() && fault->get<bool>();
    verdict = {is_ours ? Outcome::refused : Outcome::failed,
               one_line(json_text(entry, "Code") + ": " + json_text(entry, "Message"))};
  });
  return verdicts;
}

}  // namespace repoupdate
