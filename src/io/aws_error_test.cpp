// SPDX-License-Identifier: Apache-2.0
#include "io/aws_error.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

HttpResponse response(int status, std::string body, HttpHeaders headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

std::string xml_error(const std::string& code, const std::string& message = {}) {
  return R"(<?xml version="1.0" encoding="UTF-8"?><Error><Code>)" + code + "</Code><Message>" + message +
         "</Message><RequestId>R</RequestId></Error>";
}

// I11: each refusal keeps its own name.
TEST(AwsError, StatusAndCodeDecideTheKind) {
  struct Case {
    int status;
    const char* code;
    ErrorKind kind;
  };
  for (const Case& c : {Case{404, "NoSuchKey", ErrorKind::not_found},
                        Case{404, "", ErrorKind::not_found},
                        Case{404, "NoSuchBucket", ErrorKind::no_store},
                        Case{404, "NoSuchUpload", ErrorKind::conflict},
                        Case{403, "AccessDenied", ErrorKind::denied},
                        Case{403, "", ErrorKind::denied},
                        Case{401, "", ErrorKind::denied},
                        Case{400, "ExpiredToken", ErrorKind::denied},
                        Case{400, "InvalidSignatureException", ErrorKind::denied},
                        Case{400, "RequestExpired", ErrorKind::denied},
                        Case{400, "KMS.DisabledException", ErrorKind::denied},
                        Case{400, "KMS.KMSInvalidStateException", ErrorKind::denied},
                        Case{400, "KMS.NotFoundException", ErrorKind::denied},
                        Case{400, "KMS.ThrottlingException", ErrorKind::throttled},
                        Case{400, "KmsDisabled", ErrorKind::denied},
                        Case{400, "KmsThrottled", ErrorKind::throttled},
                        Case{500, "KMS.KMSInternalException", ErrorKind::unavailable},
                        Case{503, "KMS.DependencyTimeoutException", ErrorKind::unavailable},
                        Case{412, "PreconditionFailed", ErrorKind::precondition_failed},
                        Case{304, "", ErrorKind::precondition_failed},
                        Case{409, "ConditionalRequestConflict", ErrorKind::conflict},
                        Case{409, "OperationAborted", ErrorKind::conflict},
                        Case{416, "InvalidRange", ErrorKind::invalid},
                        Case{400, "XAmzContentSHA256Mismatch", ErrorKind::corrupt},
                        Case{400, "BadDigest", ErrorKind::corrupt},
                        Case{400, "RequestTimeout", ErrorKind::unavailable},
                        Case{400, "InvalidArgument", ErrorKind::invalid},
                        Case{429, "", ErrorKind::throttled},
                        Case{503, "SlowDown", ErrorKind::throttled},
                        Case{400, "RequestThrottled", ErrorKind::throttled},
                        Case{503, "", ErrorKind::unavailable},
                        Case{500, "InternalError", ErrorKind::unavailable},
                        Case{501, "NotImplemented", ErrorKind::unsupported},
                        Case{507, "", ErrorKind::no_space},
                        Case{400, "QueueDoesNotExist", ErrorKind::not_found}})
    EXPECT_EQ(aws_error_kind(c.status, c.code), c.kind) << c.status << ' ' << c.code;
}

TEST(AwsError, TellsWhatWhichAndWhatToDo) {
  const Error error =
      aws_error("s3://bucket/key", "s3:GetObject",
                response(403, xml_error("AccessDenied", "Access Denied"), {{"x-amz-request-id", "R1"}}));
  EXPECT_EQ(error.kind, ErrorKind::denied);
  EXPECT_EQ(error.request_id, "R1");
  EXPECT_EQ(request_id(response(200, "", {{"x-amz-request-id", "R1"}, {"x-amz-id-2", "a/b="}})), "R1/a/b=");
  EXPECT_EQ(request_id(response(200, "", {})), "");
  EXPECT_EQ(error.message,
            "s3://bucket/key: the service answers 403 AccessDenied: Access Denied: check the credentials, and that "
            "they may s3:GetObject");
}

// In the service's own words, which name the key.
TEST(AwsError, KeyThatCannotBeUsedIsWhatToSeeTo) {
  const std::string body = xml_error("KMS.DisabledException", "arn:aws:kms:eu-central-1:1:key/2 is disabled.");
  EXPECT_EQ(aws_error("s3://bucket/key", "s3:GetObject", response(400, body)).message,
            "s3://bucket/key: the service answers 400 KMS.DisabledException: arn:aws:kms:eu-central-1:1:key/2 is "
            "disabled: see to the KMS key that it is encrypted with");
}

TEST(AwsError, AnswerToHeadHasNoBodyToRead) {
  const Error error = aws_error("s3://bucket/key", "s3:GetObject", response(404, ""));
  EXPECT_EQ(error.kind, ErrorKind::not_found);
  EXPECT_EQ(error.message, "s3://bucket/key: the service answers 404");
}

// I14: nothing is gone because some proxy has no such page.
TEST(AwsError, PageOfAWebServerProvesNothing) {
  const Error error = aws_error("s3://bucket/key", "s3:GetObject", response(404, "<html><body>Not here</body></html>"));
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
}

TEST(AwsError, NamesTheRegionOfABucketThatIsElsewhere) {
  const HttpResponse moved = response(301, xml_error("PermanentRedirect"), {{"x-amz-bucket-region", "eu-central-1"}});
  const Error error = aws_error("s3://bucket/key", "s3:GetObject", moved);
  EXPECT_EQ(error.kind, ErrorKind::invalid);
  EXPECT_NE(error.message.find("region eu-central-1"), std::string::npos) << error.message;
  // HEAD: no code, only the header.
  EXPECT_NE(
      aws_error("s", "a", response(400, "", {{"x-amz-bucket-region", "eu-central-1"}})).message.find("eu-central-1"),
      std::string::npos);
}

// An HTTP server, or a proxy before it, that got half a request answers so; it says nothing about a package.
TEST(AwsError, BareBadRequestIsNoVerdict) {
  EXPECT_EQ(aws_error("s", "a", response(400, "")).kind, ErrorKind::unavailable);
  EXPECT_EQ(aws_error("s", "a", response(400, "<html><h1>400 Bad request</h1></html>")).kind, ErrorKind::unavailable);
  EXPECT_EQ(aws_error("s", "a", response(400, "", {{"x-amz-request-id", "R1"}})).kind, ErrorKind::invalid) << "a HEAD";
  EXPECT_EQ(aws_error("s", "a", response(400, xml_error("InvalidArgument"))).kind, ErrorKind::invalid);
}

TEST(AwsError, ReadsTheJsonOfSqs) {
  const HttpResponse answer = response(
      400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."})",
      {{"x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender"}, {"x-amzn-requestid", "R2"}});
  EXPECT_EQ(parse_aws_error(answer).code, "QueueDoesNotExist");
  EXPECT_EQ(aws_error("queue q", "sqs:ReceiveMessage", answer).kind, ErrorKind::not_found);
  EXPECT_EQ(aws_error("queue q", "sqs:ReceiveMessage", answer).request_id, "R2");
}

TEST(AwsError, ReadsTheQueryErrorHeaderAndTheWrappedXml) {
  EXPECT_EQ(parse_aws_error(response(400, "{}", {{"x-amzn-query-error", "OverLimit;Sender"}})).code, "OverLimit");
  EXPECT_EQ(
      parse_aws_error(response(403, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>"))
          .code,
      "InvalidClientTokenId");
}

TEST(AwsError, KeepsForeignTextShortAndOnOneLine) {
  const Error error = aws_error("s", "a", response(400, xml_error("X", "one\ntwo" + std::string(5000, 'x'))));
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
  EXPECT_LT(error.message.size(), 600U);
  EXPECT_EQ(aws_error("s", "a", response(400, xml_error("X", "one\x7ftwo"))).message.find('\x7f'), std::string::npos);
}

TEST(AwsError, BrokenBodiesAreNoReasonToFailTwice) {
  for (const char* body : {"{", "<Error><Code>", "\x01\x02", "[]", "{\"__type\":5}"})
    EXPECT_EQ(aws_error("s", "a", response(500, body)).kind, ErrorKind::unavailable) << body;
}

}  // namespace
}  // namespace repoupdate
