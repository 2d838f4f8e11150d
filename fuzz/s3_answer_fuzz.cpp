// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as an answer of S3, read as the answer to each request that has one (http_answer.hpp).
#include <algorithm>
#include <string>
#include <string_view>

#include "claim.hpp"
#include "http_answer.hpp"
#include "io/s3_response.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_sha256_hex = 64;

// Half an answer never passes for a small one: what cannot be read is corrupt, or tells of no object, and nothing else.
template <typename T>
bool was_read(const Result<T>& parsed) {
  if (parsed) return true;
  claim(parsed.error().kind == ErrorKind::corrupt, "an answer that cannot be read is corrupt");
  claim_message(parsed.error().message);
  return false;
}

void check_object(const HttpResponse& answer) {
  const auto info = parse_object_info("el9/a.rpm", answer);
  if (info.failed_with(ErrorKind::unavailable)) return claim_message(info.error().message);
  if (!was_read(info)) return;
  claim(info->key == "el9/a.rpm" && !info->etag.text.empty(), "an object that is read has its key and an ETag");
  claim(!info->sha256 || info->sha256->size() == k_sha256_hex, "a SHA-256 has 64 digits");
}

void check_range(std::string_view header) {
  const auto range = parse_content_range(header);
  if (was_read(range)) claim(range->first < range->size, "a part lies in its object");
}

void check_lists(const std::string& body) {
  const auto page = parse_list_objects(body);
  if (was_read(page))
    for (const ObjectInfo& object : page->objects) claim(!object.key.empty(), "what is listed has a key");
  const auto uploads = parse_list_uploads(body);
  if (was_read(uploads))
    for (const PendingUpload& upload : uploads->uploads)
      claim(!upload.key.empty() && !upload.id.empty(), "an upload that is listed has a key and an id");
}

void check_completion(const HttpResponse& answer) {
  const auto done = check_completed("s3://b/k", "s3:PutObject", answer);
  if (!done) return claim_message(done.error().message);
  if (answer.body.find('\0') != std::string::npos) return;  // where the XML ends
  HttpResponse cut = answer;
  cut.body.resize(std::min(cut.body.rfind('<'), cut.body.size()));
  if (!answer.body.substr(cut.body.size()).starts_with("</CompleteMultipartUpload")) return;
  claim(!check_completed("s3://b/k", "s3:PutObject", cut), "an answer without its end is no success");
}

void check(std::string_view input) {
  const HttpResponse answer = answer_of(input);
  check_object(answer);
  check_range(answer.header("content-range"));
  check_lists(answer.body);
  if (const auto id = parse_upload_id(answer.body); was_read(id)) claim(!id->empty(), "an upload has an id");
  check_completion(answer);
  sent_part(answer, std::string(k_sha256_hex, 'a'));
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
