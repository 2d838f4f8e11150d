// SPDX-License-Identifier: Apache-2.0
#include "io/s3_probe.hpp"

#include <tuple>
#include <utility>

#include "base/hash.hpp"
#include "io/s3_multipart.hpp"
#include "io/s3_response.hpp"

namespace repoupdate {
namespace {

using enum ProbeAnswer;

constexpr int k_max_attempts = 3;  // on a network that loses answers
constexpr const char* k_other_etag = "\"00000000000000000000000000000000\"";

Condition judge_pair(std::optional<ProbeAnswer> right, std::optional<ProbeAnswer> wrong) {
  if (right == refused || wrong == refused) return Condition::refused;
  if (right == condition_failed) return Condition::never_met;
  return wrong == condition_failed ? Condition::honoured : Condition::ignored;
}

// Where an answer says nothing about the condition, its error is the outcome.
Result<ProbeAnswer> answer_of(const Result<HttpResponse>& response) {
  if (response) return accepted;
  const ErrorKind kind = response.error().kind;
  if (kind == ErrorKind::precondition_failed || kind == ErrorKind::conflict) return condition_failed;
  if (kind == ErrorKind::unsupported || kind == ErrorKind::invalid) return refused;
  return response.error();
}

// What the store cannot do just now, it may be able to: no verdict, which would be kept for a week.
bool may_pass(const Error& error) {
  return error.kind == ErrorKind::throttled || error.kind == ErrorKind::unavailable ||
         error.kind == ErrorKind::timed_out || error.kind == ErrorKind::cancelled;
}

PutOptions if_match(std::string etag) {
  PutOptions options;
  options.if_match = ETag{std::move(etag)};
  return options;
}

// The object that everything is tried with. Each PUT has bytes of its own, and so an ETag of its own.
class ProbeObject {
public:
  ProbeObject(const S3Caller& caller, const std::string& key) : m_caller(caller), m_key(key) {}

  Result<ProbeAnswers> try_all();
  void remove() const;
  bool answer_was_lost() const { return m_answer_lost; }

private:
  Result<ProbeAnswer> put(const PutOptions& options, ETagStyle style = ETagStyle::as_sent);
  Result<void> try_creation(ProbeAnswers& answers);
  Result<void> try_replacement(ProbeAnswers& answers);
  Result<ProbeAnswer> try_completion() const;
  Result<ProbeAnswer> complete(const std::string& upload_id, const SentPart& part) const;

  const S3Caller& m_caller;
  const std::string& m_key;
  int m_puts = 0;
  ETag m_etag;  // as the store sent it last
  bool m_answer_lost = false;
};

Result<ProbeAnswer> ProbeObject::put(const PutOptions& options, ETagStyle style) {
  const std::string bytes = "conditional writes are tried here, " + std::to_string(++m_puts) + '\n';
  const std::string sha256 = sha256_hex(bytes);
  HttpRequest request = put_object_request(m_caller.bucket(), m_key, options, sha256);
  add_condition(request, options, style);
  AwsCall call = m_caller.call(std::move(request), m_key, "s3:PutObject");
  call.exchange.body = bytes;
  const AwsOutcome outcome = m_caller.send(call);
  auto answer = answer_of(outcome.response);
  if (outcome.response) m_etag = stored_mark(*outcome.response).etag;
  if (answer && *answer == condition_failed && outcome.answer_lost) {
    m_answer_lost = true;  // was it the condition, or our own first attempt?
    return Error{ErrorKind::unavailable, m_caller.subject(m_key) + ": answers to its requests were lost", {}};
  }
  return answer;
}

Result<void> ProbeObject::try_creation(ProbeAnswers& answers) {
  PutOptions create;
  create.if_absent = true;
  const auto absent = put(create);
  if (!absent) return absent.error();
  answers.create_absent = *absent;
  if (*absent != accepted) {
    // Is it the condition, or can nothing be written here?
    const Result<ProbeAnswer> plain = put({});
    if (!plain) return plain.error();
    if (*plain != accepted)
      return Error{ErrorKind::invalid, m_caller.subject(m_key) + ": the store accepts no PUT", {}};
  }
  if (*absent == refused) return {};
  const auto present = put(create);
  if (!present) return present.error();
  answers.create_present = *present;
  return {};
}

Result<void> ProbeObject::try_replacement(ProbeAnswers& answers) {
  const auto attempt = [this](std::optional<ProbeAnswer>& answer, const std::string& etag,
                              ETagStyle style) -> Result<void> {
    const auto seen = put(if_match(etag), style);
    if (!seen) return seen.error();
    answer = *seen;
    return {};
  };
  if (m_etag.text.empty()) {  // not every store sends one back
    const auto head =
        m_caller.send(m_caller.call(head_object_request(m_caller.bucket(), m_key), m_key, "s3:GetObject"));
    if (!head.response) return head.response.error();
    m_etag = stored_mark(*head.response).etag;
  }
  const auto etag = [this] { return m_etag.text; };
  if (auto tried = attempt(answers.replace_other, k_other_etag, ETagStyle::as_sent); !tried) return tried;
  if (*answers.replace_other == refused) return {};
  if (auto tried = attempt(answers.replace_current, etag(), ETagStyle::as_sent); !tried) return tried;
  if (*answers.replace_current != condition_failed) return {};
  if (auto tried = attempt(answers.replace_other_bare, k_other_etag, ETagStyle::bare); !tried) return tried;
  return attempt(answers.replace_current_bare, etag(), ETagStyle::bare);
}

// A store without multipart uploads is one that refuses the condition: what does not work is not asked for.
Result<ProbeAnswer> ProbeObject::try_completion() const {
  const std::string bytes = "conditional writes are tried here\n";
  const HttpRequest create = create_multipart_request(m_caller.bucket(), m_key, {}, sha256_hex(bytes));
  const auto created = m_caller.send(m_caller.call(create, m_key, "s3:PutObject")).response;
  const Result<std::string> id = created ? parse_upload_id(created->body) : Result<std::string>(created.error());
  if (!id && may_pass(id.error())) return id.error();
  if (!id) return refused;
  AwsCall part =
      m_caller.call(upload_part_request(m_caller.bucket(), m_key, *id, 1, sha256_hex(bytes)), m_key, "s3:PutObject");
  part.exchange.body = bytes;
  const auto sent = m_caller.send(part).response;
  const Result<ProbeAnswer> answer =
      sent ? complete(*id, sent_part(*sent, sha256_hex(bytes))) : Result<ProbeAnswer>(sent.error());
  if (answer && *answer == accepted) return accepted;
  std::ignore = abort_upload(m_caller, m_key, *id);
  if (!answer && may_pass(answer.error())) return answer.error();
  return answer ? *answer : refused;
}

Result<ProbeAnswer> ProbeObject::complete(const std::string& upload_id, const SentPart& part) const {
  HttpRequest request = complete_multipart_request(m_caller.bucket(), m_key, upload_id);
  PutOptions options;
  options.if_absent = true;
  add_condition(request, options, ETagStyle::as_sent);
  const std::string body = complete_multipart_body({part});
  AwsCall call = m_caller.call(std::move(request), m_key, "s3:PutObject");
  call.exchange.body = body;
  call.check = [&call](const HttpResponse& response) { return check_completed(call.subject, call.action, response); };
  const auto response = m_caller.send(call).response;
  if (response.failed_with(ErrorKind::conflict)) return refused;  // the upload is not known: no word about the object
  return answer_of(response);
}

Result<ProbeAnswers> ProbeObject::try_all() {
  ProbeAnswers answers;
  if (auto tried = try_creation(answers); !tried) return std::move(tried).error();
  if (auto tried = try_replacement(answers); !tried) return std::move(tried).error();
  const auto completion = try_completion();
  if (!completion) return completion.error();
  answers.complete_present = *completion;
  return answers;
}

// Who may not remove leaves a small object behind, which nobody lists and which does not matter.
void ProbeObject::remove() const {
  const HttpRequest request = delete_object_request(m_caller.bucket(), m_key);
  std::ignore = m_caller.send_even_when_stopped(m_caller.call(request, m_key, "s3:DeleteObject"));
}

}  // namespace

StoreAbilities judge(const ProbeAnswers& answers) {
  StoreAbilities abilities;
  abilities.create = judge_pair(answers.create_absent, answers.create_present);
  abilities.replace = judge_pair(answers.replace_current, answers.replace_other);
  if (answers.replace_current_bare) {
    const Condition bare = judge_pair(answers.replace_current_bare, answers.replace_other_bare);
    abilities.bare_etags = bare == Condition::honoured;
    if (abilities.bare_etags) abilities.replace = bare;
  }
  // A condition on an object that is there: accepted means that nobody looked at it.
  abilities.completion = judge_pair(accepted, answers.complete_present);
  return abilities;
}

Result<StoreAbilities> probe_store(const S3Caller& caller, const std::string& key) {
  for (int attempt = 1;; ++attempt) {
    ProbeObject object(caller, key);
    const auto answers = object.try_all();
    object.remove();
    if (answers) return judge(*answers);
    if (!object.answer_was_lost() || attempt == k_max_attempts) return answers.error();
  }
}

}  // namespace repoupdate
