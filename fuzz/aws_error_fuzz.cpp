// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as the refusal of an AWS service, in XML and in JSON (http_answer.hpp).
#include <string_view>

#include "claim.hpp"
#include "http_answer.hpp"
#include "io/aws_error.hpp"

namespace repoupdate {
namespace {

void check(std::string_view input) {
  const HttpResponse answer = answer_of(input);
  const AwsErrorBody body = parse_aws_error(answer);
  claim(body.code.size() <= k_max_aws_message && body.message.size() <= k_max_aws_message,
        "what a service says is cut to its limit");
  for (const std::string& text : {body.code, body.message, bucket_region(answer)})
    if (!text.empty()) claim_message(text);

  const Error error = aws_error("s3://b/k", "s3:GetObject", answer);
  claim_message(error.text());
  claim(error.message.starts_with("s3://b/k: "), "an error names its subject");
  const bool has_own_code = !body.code.empty();
  claim(error.kind != ErrorKind::not_found || has_own_code || (answer.status == 404 && answer.body.empty()),
        "only the service's own word proves that something is gone");
  claim(answer.status != 403 || has_own_code || error.kind == ErrorKind::denied, "403 is denied, never gone");
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
