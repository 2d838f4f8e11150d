// SPDX-License-Identifier: Apache-2.0
#include "io/s3_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "base/hash.hpp"
#include "io/s3_multipart.hpp"
#include "io/sample_sender.hpp"
#include "testkit/faulty_bytes.hpp"
#include "testkit/loopback_server.hpp"
#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

constexpr const char* k_date = "Sat, 31 Jan 2026 23:59:59 GMT";
constexpr const char* k_condition_failed = "<Error><Code>PreconditionFailed</Code></Error>";
constexpr const char* k_no_such_key = "<Error><Code>NoSuchKey</Code></Error>";

// A store on a scripted server.
class S3StoreTest : public SampleSender {
protected:
  void serve(LoopbackServer::Responder responder) {
    m_server = std::make_unique<LoopbackServer>(std::move(responder));
    S3StoreOptions options;
    options.bucket = "b";
    options.endpoint_url = m_server->url();
    options.stop = m_stop.get_token();
    auto opened = S3Store::open(std::move(options), m_sender);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    m_store = *std::move(opened);
  }

  // "PUT /b/k" for each request, in order.
  std::vector<std::string> requests() const {
    std::vector<std::string> lines;
    for (const WireRequest& request : m_server->requests()) lines.push_back(request.method + ' ' + request.target);
    return lines;
  }

  // The answer to HEAD or GET for an object with these bytes.
  static WireAnswer object(const WireRequest& request, const std::string& bytes, const std::string& etag,
                           const std::string& sha256 = {}) {
    return answer(200,
                  {{"ETag", etag},
                   {"Last-Modified", k_date},
                   {"Content-Length", std::to_string(bytes.size())},
                   {"x-amz-meta-repoupdate-sha256", sha256}},
                  request.method == "HEAD" ? "" : bytes);
  }
  // The answer to GET for a range of an object of `size` bytes.
  static WireAnswer part(const std::string& bytes, std::uint64_t first, std::uint64_t size, const std::string& etag) {
    const std::string last = std::to_string(first + bytes.size() - 1);
    return answer(206,
                  {{"ETag", etag},
                   {"Last-Modified", k_date},
                   {"Content-Range", "bytes " + std::to_string(first) + '-' + last + '/' + std::to_string(size)}},
                  bytes);
  }
  static WireAnswer stored(const std::string& etag) { return answer(200, {{"ETag", etag}, {"Date", k_date}}); }

  static PutOptions if_match(const std::string& etag) {
    PutOptions options;
    options.if_match = ETag{etag};
    return options;
  }

  std::stop_source m_stop;
  std::unique_ptr<LoopbackServer> m_server;
  std::unique_ptr<S3Store> m_store;
};

TEST_F(S3StoreTest, HeadOfAMissingKeyProvesAbsenceInABucketThatExists) {
  serve([](const WireRequest& request, int) { return request.target == "/b" ? answer(200) : answer(404); });
  EXPECT_TRUE(m_store->head("k").failed_with(ErrorKind::not_found));
  EXPECT_TRUE(m_store->head("k").failed_with(ErrorKind::not_found));
  EXPECT_EQ(requests(), (std::vector<std::string>{"HEAD /b/k", "HEAD /b", "HEAD /b/k"}));  // asked once
}

// I14: a wrong bucket name is no reason to drop every package.
TEST_F(S3StoreTest, MissingBucketIsNeverAMissingKey) {
  serve([](const WireRequest& request, int) {
    return request.method == "HEAD" ? answer(404) : answer(404, {}, "<Error><Code>NoSuchBucket</Code></Error>");
  });
  const auto head = m_store->head("k");
  ASSERT_TRUE(head.failed_with(ErrorKind::no_store));
  EXPECT_EQ(head.error().message, "s3://b: this bucket does not exist");
  EXPECT_TRUE(m_store->get("k", {}, 10).failed_with(ErrorKind::no_store));
  EXPECT_TRUE(m_store->put("k", "x", {}).failed_with(ErrorKind::no_store));
  EXPECT_TRUE(m_store->put("k", "x", if_match("\"e\"")).failed_with(ErrorKind::no_store));
  EXPECT_TRUE(m_store->remove("k", {}).failed_with(ErrorKind::no_store));
  EXPECT_TRUE(m_store->list("", "").failed_with(ErrorKind::no_store));
}

TEST_F(S3StoreTest, BucketThatMayNotBeListedExists) {
  serve([](const WireRequest& request, int) { return answer(request.target == "/b" ? 403 : 404); });
  EXPECT_TRUE(m_store->head("k").failed_with(ErrorKind::not_found));
}

// I14: an answer to HEAD cannot tell whose it is, one to GET can.
TEST_F(S3StoreTest, A404OfAGetIsBelievedWhenItIsTheServicesOwn) {
  for (const auto& [body, id, kind] :
       {std::tuple{k_no_such_key, "", ErrorKind::not_found}, std::tuple{"", "R", ErrorKind::not_found},
        std::tuple{"", "", ErrorKind::unavailable}, std::tuple{"<html>no</html>", "", ErrorKind::unavailable}}) {
    serve([&](const WireRequest& request, int) {
      if (request.target == "/b") return answer(200);
      return answer(404, {{"x-amz-request-id", id}}, request.method == "HEAD" ? "" : body);
    });
    EXPECT_TRUE(m_store->get("k", {ByteRange{0, 100}, {}}, 100).failed_with(kind)) << body << id;
    EXPECT_TRUE(m_store->head("k").failed_with(ErrorKind::not_found)) << body << id;
  }
}

// Whether the bucket is there cannot be said: no verdict on the object either.
TEST_F(S3StoreTest, BucketThatCannotBeAskedForSaysNothing) {
  serve([](const WireRequest& request, int) {
    return answer(request.target == "/b" ? 405 : 404, {{"x-amz-request-id", "R"}});
  });
  EXPECT_TRUE(m_store->head("k").failed_with(ErrorKind::denied));
}

// I11, I14: S3 answers 403 for a missing key too, so 403 says nothing.
TEST_F(S3StoreTest, DeniedIsNotGone) {
  serve([](const WireRequest&, int) { return answer(403, {{"x-amz-request-id", "R"}}); });
  const auto head = m_store->head("pool/a.rpm");
  ASSERT_TRUE(head.failed_with(ErrorKind::denied));
  EXPECT_EQ(head.error().text(),
            "s3://b/pool/a.rpm: the service answers 403: check the credentials, and that they may s3:GetObject "
            "(request id R)");
}

// Neither a retry nor an attempt that hangs outlasts it.
TEST_F(S3StoreTest, PutIsOverAtItsDeadline) {
  constexpr std::chrono::seconds k_left(2);  // of real time for the attempt that hangs to arrive
  bool hangs = false;
  serve([&](const WireRequest&, int) {
    if (!hangs) return answer(503, {{"Retry-After", "8"}}, "<Error><Code>SlowDown</Code></Error>");
    m_clock.advance(k_left);
    return WireAnswer{{}, false, true};
  });
  PutOptions options;
  options.deadline = m_clock.steady() + std::chrono::seconds(20);
  EXPECT_TRUE(m_store->put("k", "x", options).failed_with(ErrorKind::throttled));
  EXPECT_LE(m_clock.steady(), *options.deadline);
  EXPECT_EQ(requests().size(), 3U);

  hangs = true;
  options.deadline = m_clock.steady() + std::chrono::minutes(1);
  m_clock.advance(std::chrono::minutes(1) - k_left);
  EXPECT_TRUE(m_store->put("k", "x", options).failed_with(ErrorKind::timed_out));
  EXPECT_TRUE(m_store->put("k", "x", options).failed_with(ErrorKind::timed_out));
  EXPECT_EQ(requests().size(), 4U);
}

TEST_F(S3StoreTest, GetsARangeAndTheWholeSize) {
  serve([](const WireRequest& request, int) {
    EXPECT_EQ(request.header("range"), "bytes=2-4");
    return answer(206, {{"ETag", "\"e\""}, {"Last-Modified", k_date}, {"Content-Range", "bytes 2-4/10"}}, "234");
  });
  const auto object = m_store->get("k", {ByteRange{2, 3}, {}}, 100);
  ASSERT_TRUE(object.ok()) << object.error().text();
  EXPECT_EQ(object->bytes, "234");
  EXPECT_EQ(object->info.size, 10U);
}

TEST_F(S3StoreTest, CutsTheRangeItselfWhenTheStoreSendsEverything) {
  serve([](const WireRequest& request, int) { return object(request, "0123456789", "\"e\""); });
  EXPECT_EQ(m_store->get("k", {ByteRange{2, 3}, {}}, 100)->bytes, "234");
  EXPECT_EQ(m_store->get("k", {ByteRange{8, 30}, {}}, 100)->bytes, "89");
  EXPECT_EQ(m_store->get("k", {ByteRange{10, 1}, {}}, 100)->bytes, "");
  EXPECT_TRUE(m_store->get("k", {ByteRange{0, 4}, {}}, 4).failed_with(ErrorKind::unavailable)) << "no verdict";
}

TEST_F(S3StoreTest, AnotherRangeThanAskedForIsCorrupt) {
  serve([](const WireRequest&, int) {
    return answer(206, {{"ETag", "\"e\""}, {"Last-Modified", k_date}, {"Content-Range", "bytes 0-2/10"}}, "012");
  });
  EXPECT_TRUE(m_store->get("k", {ByteRange{2, 3}, {}}, 100).failed_with(ErrorKind::corrupt));
  EXPECT_TRUE(m_store->get("k", {ByteRange{0, 5}, {}}, 100).failed_with(ErrorKind::corrupt));
}

TEST_F(S3StoreTest, MoreThanTheLimitIsInvalid) {
  serve([](const WireRequest& request, int) { return object(request, "12345", "\"e\""); });
  EXPECT_TRUE(m_store->get("k", {}, 4).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(m_store->get("k", {}, 5).ok());
}

TEST_F(S3StoreTest, ARangeBehindTheEndHasNoBytes) {
  serve([](const WireRequest& request, int) {
    if (request.method == "HEAD") return object(request, request.target == "/b/empty" ? "" : "12345", "\"e\"");
    return answer(416, {}, "<Error><Code>InvalidRange</Code></Error>");
  });
  const auto empty = m_store->get("empty", {ByteRange{0, 100}, {}}, 100);
  ASSERT_TRUE(empty.ok()) << empty.error().text();
  EXPECT_EQ(empty->bytes, "");
  EXPECT_EQ(empty->info.etag.text, "\"e\"");
  EXPECT_EQ(m_store->get("k", {ByteRange{99, 1}, {}}, 100)->info.size, 5U);
  EXPECT_TRUE(m_store->get("k", {ByteRange{4, 1}, {}}, 100).failed_with(ErrorKind::unavailable)) << "it is there";
  EXPECT_TRUE(m_store->get("empty", {ByteRange{0, 1}, ETag{"\"d\""}}, 100).failed_with(ErrorKind::precondition_failed));
  EXPECT_EQ(m_store->read("empty", {ByteRange{0, 100}, {}}, [](std::string_view) { return Result<void>(); })->size, 0U);
}

// I14: nobody has seen the bytes, so whatever the service says is no verdict on them.
TEST_F(S3StoreTest, WhatTheServiceRefusesToGiveIsNeverInvalid) {
  const auto nowhere = [](std::string_view) { return Result<void>(); };
  const std::string code = "<Error><Code>KMS.DisabledException</Code></Error>";
  for (const auto& [status, body] : std::map<int, std::string>{{400, code},
                                                               {402, "<Error><Code>AccountProblem</Code></Error>"},
                                                               {405, ""},
                                                               {422, "<html>no</html>"},
                                                               {501, "<Error><Code>NotImplemented</Code></Error>"}}) {
    serve([&](const WireRequest& request, int) {
      return answer(status, {{"x-amz-request-id", "R"}}, request.method == "HEAD" ? "" : body);
    });
    EXPECT_TRUE(m_store->head("k").failed_with(ErrorKind::denied)) << status;
    EXPECT_TRUE(m_store->get("k", {ByteRange{0, 100}, {}}, 100).failed_with(ErrorKind::denied)) << status;
    EXPECT_TRUE(m_store->get("k", {}, 100).failed_with(ErrorKind::denied)) << status;
    EXPECT_TRUE(m_store->read("k", {}, nowhere).failed_with(ErrorKind::denied)) << status;
    EXPECT_TRUE(m_store->open("k").failed_with(ErrorKind::denied)) << status;
  }
  serve([](const WireRequest&, int) { return answer(302, {{"Location", "/login"}}); });
  EXPECT_TRUE(m_store->head("k").failed_with(ErrorKind::unavailable));
  EXPECT_TRUE(m_store->head(std::string(2000, 'k')).failed_with(ErrorKind::invalid)) << "this is about the key";
}

TEST_F(S3StoreTest, FetchesAWholeObjectAgainThatArrivesDamaged) {
  serve([](const WireRequest& request, int number) {
    return object(request, number < 3 ? "damaged" : "healthy", "\"e\"", sha256_hex("healthy"));
  });
  const auto healthy = m_store->get("k", {}, 100);
  ASSERT_TRUE(healthy.ok()) << healthy.error().text();
  EXPECT_EQ(healthy->bytes, "healthy");
  EXPECT_EQ(m_server->requests().size(), 3U);
}

// As of a proxy with a page of its own: never a word about the object.
TEST_F(S3StoreTest, AnswerThatTellsOfNoObjectIsAskedForAgain) {
  const ByteSink sink = [](std::string_view) { return Result<void>(); };
  serve([](const WireRequest& request, int number) {
    return number % 2 == 1 ? answer(200, {}, "It works!") : object(request, "healthy", "\"e\"");
  });
  EXPECT_TRUE(m_store->head("k").ok());
  EXPECT_TRUE(m_store->get("k", {}, 100).ok());
  EXPECT_TRUE(m_store->read("k", {}, sink).ok());
  EXPECT_EQ(m_server->requests().size(), 6U);
  serve([](const WireRequest&, int) { return answer(200, {}, "It works!"); });
  EXPECT_TRUE(m_store->head("k").failed_with(ErrorKind::unavailable));
  EXPECT_TRUE(m_store->get("k", {}, 100).failed_with(ErrorKind::unavailable));
  EXPECT_TRUE(m_store->read("k", {}, sink).failed_with(ErrorKind::unavailable));
}

TEST_F(S3StoreTest, ObjectThatAlwaysArrivesDamagedIsCorrupt) {
  serve([](const WireRequest& request, int) { return object(request, "damaged", "\"e\"", sha256_hex("healthy")); });
  const auto damaged = m_store->get("k", {}, 100);
  ASSERT_TRUE(damaged.failed_with(ErrorKind::corrupt));
  EXPECT_EQ(damaged.error().message, "s3://b/k: what arrives does not have the SHA-256 that the store tells");
  EXPECT_EQ(m_server->requests().size(), static_cast<std::size_t>(k_max_fetches));
  EXPECT_TRUE(m_store->read("k", {}, [](std::string_view) { return Result<void>(); }).failed_with(ErrorKind::corrupt));
  EXPECT_TRUE(m_store->get("k", {ByteRange{0, 3}, {}}, 100).ok()) << "of a part nothing is known";
}

// S3's own checksum, and neither one made of parts' checksums nor the ETag.
TEST_F(S3StoreTest, HoldsBytesOnlyAgainstTheirOwnChecksum) {
  std::string name = "x-amz-checksum-sha256", value = to_base64(*from_hex(sha256_hex("healthy"))), type = "FULL_OBJECT";
  serve([&](const WireRequest&, int) {
    return answer(200, {{"ETag", "\"0123\""}, {"Last-Modified", k_date}, {name, value}, {"x-amz-checksum-type", type}},
                  "damaged");
  });
  EXPECT_TRUE(m_store->get("k", {}, 100).failed_with(ErrorKind::corrupt));
  type = "COMPOSITE";
  EXPECT_TRUE(m_store->get("k", {}, 100).ok());
  name = "content-md5";
  EXPECT_TRUE(m_store->get("k", {}, 100).ok());
}

TEST_F(S3StoreTest, FetchesAWholeObjectAgainThatArrivesCutShort) {
  serve([](const WireRequest& request, int number) {
    WireAnswer reply = object(request, "0123456789", "\"e\"");
    if (number > 1) return reply;
    reply.bytes.resize(reply.bytes.size() - 6);
    reply.then_close = true;
    return reply;
  });
  EXPECT_EQ(m_store->get("k", {}, 100)->bytes, "0123456789");
  EXPECT_EQ(m_server->requests().size(), 2U);
}

TEST_F(S3StoreTest, ListsUploadsThatHaveNotEndedPageByPage) {
  serve([](const WireRequest& request, int number) {
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.target, std::string("/b?encoding-type=url&") + (number == 2 ? "key-marker=p%2Fk&" : "") +
                                  "prefix=p%2F&" + (number == 2 ? "upload-id-marker=U&" : "") + "uploads=");
    if (number == 3) return answer(403);
    return answer(200, {},
                  "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>p/k</NextKeyMarker>"
                  "<NextUploadIdMarker>U</NextUploadIdMarker><Upload><Key>p/k</Key><UploadId>U</UploadId>"
                  "<Initiated>2026-01-31T23:59:59.000Z</Initiated></Upload></ListMultipartUploadsResult>");
  });
  const auto page = m_store->list_uploads("p/", "");
  ASSERT_TRUE(page.ok()) << page.error().text();
  ASSERT_EQ(page->uploads.size(), 1U);
  EXPECT_TRUE(m_store->list_uploads("p/", page->next).failed_with(ErrorKind::corrupt)) << "the same page again";
  const auto denied = m_store->list_uploads("p/", "");
  ASSERT_TRUE(denied.failed_with(ErrorKind::denied));
  EXPECT_NE(denied.error().message.find("s3:ListBucketMultipartUploads"), std::string::npos);
}

TEST_F(S3StoreTest, ListingThatDoesNotGoOnIsCorrupt) {
  serve([](const WireRequest&, int) {  // whatever page is asked for
    return answer(200, {},
                  "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
                  "<Contents><Key>a</Key><LastModified>2026-01-31T23:59:59Z</LastModified><ETag>e</ETag><Size>1</Size>"
                  "</Contents></ListBucketResult>");
  });
  const auto first = m_store->list("p/", "");
  ASSERT_TRUE(first.ok()) << first.error().text();
  EXPECT_TRUE(m_store->list("p/", first->next).failed_with(ErrorKind::corrupt));
}

TEST_F(S3StoreTest, DropsAnUploadAndTakesAnEndedOneAsDropped) {
  serve([](const WireRequest&, int number) {
    if (number == 1) return answer(204);
    return answer(number == 2 ? 404 : 403, {}, number == 2 ? "<Error><Code>NoSuchUpload</Code></Error>" : "");
  });
  const PendingUpload upload{"p/a b.rpm", "U/1", {}};
  EXPECT_TRUE(m_store->drop_upload(upload).ok());
  EXPECT_TRUE(m_store->drop_upload(upload).ok());
  EXPECT_TRUE(m_store->drop_upload(upload).failed_with(ErrorKind::denied));
  EXPECT_EQ(requests()[0], "DELETE /b/p/a%20b.rpm?uploadId=U%2F1");
}

TEST_F(S3StoreTest, ReadGoesOnWhereItBrokeOff) {
  const std::string bytes = "0123456789";
  serve([&](const WireRequest& request, int number) {
    if (number == 1) {
      WireAnswer cut =
          answer(200, {{"ETag", "\"e\""}, {"Last-Modified", k_date}, {"Content-Length", "10"}}, bytes.substr(0, 4));
      cut.then_close = true;
      return cut;
    }
    if (number == 2) return answer(503);
    EXPECT_EQ(request.header("range"), "bytes=4-");
    EXPECT_EQ(request.header("if-match"), "\"e\"");
    return answer(206, {{"ETag", "\"e\""}, {"Last-Modified", k_date}, {"Content-Range", "bytes 4-9/10"}},
                  bytes.substr(4));
  });
  std::string taken;
  const auto info = m_store->read("k", {}, [&](std::string_view piece) {
    taken += piece;
    return Result<void>();
  });
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(taken, bytes);
  EXPECT_EQ(info->size, 10U);
  EXPECT_EQ(m_server->requests().size(), 3U);
}

TEST_F(S3StoreTest, ReadOfARangeGoesOnInsideTheRange) {
  serve([&](const WireRequest& request, int number) {
    if (number == 1) {
      WireAnswer cut = answer(206,
                              {{"ETag", "\"e\""},
                               {"Last-Modified", k_date},
                               {"Content-Range", "bytes 100-109/500"},
                               {"Content-Length", "10"}},
                              "abc");
      cut.then_close = true;
      return cut;
    }
    EXPECT_EQ(request.header("range"), "bytes=103-109");
    return answer(206, {{"ETag", "\"e\""}, {"Last-Modified", k_date}, {"Content-Range", "bytes 103-109/500"}},
                  "defghij");
  });
  std::string taken;
  const auto info = m_store->read("k", {ByteRange{100, 10}, {}}, [&](std::string_view piece) {
    taken += piece;
    return Result<void>();
  });
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(taken, "abcdefghij");
}

TEST_F(S3StoreTest, ReadNeverMixesTwoObjects) {
  serve([&](const WireRequest&, int number) {
    if (number > 1) return answer(412, {}, k_condition_failed);
    WireAnswer cut = answer(200, {{"ETag", "\"e\""}, {"Last-Modified", k_date}, {"Content-Length", "10"}}, "0123");
    cut.then_close = true;
    return cut;
  });
  const auto info = m_store->read("k", {}, [](std::string_view) { return Result<void>(); });
  EXPECT_TRUE(info.failed_with(ErrorKind::precondition_failed));
}

TEST_F(S3StoreTest, ReadRefusesAResumptionThatBeginsAnew) {
  serve([&](const WireRequest& request, int number) {
    if (number > 1) return object(request, "0123456789", "\"e\"");
    WireAnswer cut = answer(200, {{"ETag", "\"e\""}, {"Last-Modified", k_date}, {"Content-Length", "10"}}, "0123");
    cut.then_close = true;
    return cut;
  });
  std::string taken;
  const auto info = m_store->read("k", {}, [&](std::string_view piece) {
    taken += piece;
    return Result<void>();
  });
  EXPECT_TRUE(info.failed_with(ErrorKind::corrupt));
  EXPECT_EQ(taken, "0123");
}

TEST_F(S3StoreTest, OpenedObjectIsReadByPinnedRanges) {
  serve([](const WireRequest& request, int number) {
    if (number == 1) return object(request, "0123456789", "\"e\"");
    EXPECT_EQ(request.header("if-match"), "\"e\"");
    EXPECT_EQ(request.header("range"), "bytes=4-6");
    return part("456", 4, 10, "\"e\"");
  });
  const auto opened = m_store->open("k");
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_EQ((*opened)->size(), 10U);
  EXPECT_FALSE((*opened)->is_local());
  EXPECT_EQ(*read_piece(**opened, 4, 3), "456");
  EXPECT_EQ(requests(), (std::vector<std::string>{"HEAD /b/k", "GET /b/k"}));
}

TEST_F(S3StoreTest, OpenedObjectIsReadOnWhereAnAnswerBrokeOff) {
  serve([](const WireRequest& request, int number) {
    if (number == 1) return object(request, "0123456789", "\"e\"");
    WireAnswer reply = part("234567", 2, 10, "\"e\"");
    if (number == 2) {
      reply.bytes.resize(reply.bytes.size() - 4);
      reply.then_close = true;
      return reply;
    }
    EXPECT_EQ(request.header("range"), "bytes=4-7");
    return part("4567", 4, 10, "\"e\"");
  });
  const auto opened = m_store->open("k");
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(*read_piece(**opened, 2, 6), "234567");
}

TEST_F(S3StoreTest, MissingObjectIsNotOpened) {
  serve([](const WireRequest& request, int) { return answer(request.target == "/b" ? 200 : 404); });
  EXPECT_TRUE(m_store->open("k").failed_with(ErrorKind::not_found));
  EXPECT_TRUE(m_store->open("").failed_with(ErrorKind::invalid));
}

TEST_F(S3StoreTest, OpenedObjectIsNeverMixedWithWhatCameAfterIt) {
  WireAnswer reply;
  serve([&reply](const WireRequest& request, int number) {
    if (request.target == "/b") return answer(200);
    return number == 1 ? object(request, "0123456789", "\"e\"") : reply;
  });
  const auto opened = m_store->open("k");
  ASSERT_TRUE(opened.ok());
  const auto outcome = [&](WireAnswer next) {
    reply = std::move(next);
    const auto piece = read_piece(**opened, 0, 3);
    return piece.ok() ? "read" : to_string(piece.error().kind);
  };
  EXPECT_EQ(outcome(part("012", 0, 10, "\"e\"")), "read");
  EXPECT_EQ(outcome(answer(412, {}, k_condition_failed)), "precondition failed");
  EXPECT_EQ(outcome(answer(404, {}, k_no_such_key)), "precondition failed");
  EXPECT_EQ(outcome(part("abc", 0, 10, "\"new\"")), "precondition failed") << "a store without If-Match";
  EXPECT_EQ(outcome(part("01", 0, 10, "\"e\"")), "corrupt");
  EXPECT_EQ(outcome(part("0123", 0, 10, "\"e\"")), "corrupt") << "a store without ranges";
  EXPECT_EQ(outcome(part("123", 1, 10, "\"e\"")), "corrupt");
  EXPECT_EQ(outcome(answer(403)), "denied");
}

TEST_F(S3StoreTest, PutLetsTheStoreVerifyTheBytes) {
  serve([](const WireRequest&, int) { return stored("\"e\""); });
  PutOptions options;
  options.content_type = "application/xml";
  const auto info = m_store->put("k", "hello", options);
  ASSERT_TRUE(info.ok()) << info.error().text();
  const WireRequest sent = m_server->requests().at(0);
  EXPECT_EQ(sent.body, "hello");
  EXPECT_EQ(sent.header("x-amz-content-sha256"), sha256_hex("hello"));
  EXPECT_EQ(sent.header("x-amz-checksum-sha256"), to_base64(*from_hex(sha256_hex("hello"))));
  EXPECT_EQ(sent.header("content-type"), "application/xml");
  EXPECT_EQ(info->etag.text, "\"e\"");
  EXPECT_EQ(info->size, 5U);
  EXPECT_EQ(info->sha256, sha256_hex("hello"));
  EXPECT_EQ(to_iso8601(info->last_modified), "2026-01-31T23:59:59Z");
  EXPECT_EQ(m_server->requests().size(), 1U);
}

TEST_F(S3StoreTest, PutAsksWhereTheAnswerHasNoETag) {
  serve([](const WireRequest& request, int) {
    return request.method == "PUT" ? answer(200) : object(request, "x", "\"from-head\"");
  });
  EXPECT_EQ(m_store->put("k", "x", {})->etag.text, "\"from-head\"");
}

// I3: somebody else writes between the PUT and the question. Their ETag is not ours, whether the store tells a digest.
TEST_F(S3StoreTest, PutNeverTakesTheETagOfAnotherWriterForItsOwn) {
  for (const std::string& digest : {sha256_hex("them"), std::string()}) {
    serve([&](const WireRequest& request, int) {
      return request.method == "PUT" ? answer(200, {{"ETag", "\"mine\""}}) : object(request, "them", "\"t\"", digest);
    });
    EXPECT_TRUE(m_store->put("k", "mine", if_match("\"old\"")).failed_with(ErrorKind::precondition_failed)) << digest;
    EXPECT_TRUE(m_store->put("k", "mine", {}).failed_with(ErrorKind::conflict)) << digest;
  }
  serve([](const WireRequest& request, int) {
    return answer(request.method == "PUT" || request.target == "/b" ? 200 : 404);
  });
  EXPECT_TRUE(m_store->put("k", "mine", if_match("\"old\"")).failed_with(ErrorKind::precondition_failed));
}

// I3: every way in which a store says that somebody else was first.
TEST_F(S3StoreTest, LostConditionsAreAllTheSameOutcome) {
  for (const auto& [status, body] :
       std::map<int, std::string>{{412, k_condition_failed}, {404, k_no_such_key}, {304, ""}}) {
    serve([status = status, body = body](const WireRequest& request, int) {
      return request.method == "HEAD" ? object(request, "other", "\"new\"") : answer(status, {}, body);
    });
    EXPECT_TRUE(m_store->put("k", "x", if_match("\"old\"")).failed_with(ErrorKind::precondition_failed)) << status;
  }
}

// As Ceph RGW 16 answers when another one puts the same key at that moment.
TEST_F(S3StoreTest, PutThatFindsNothingIsSentAgain) {
  serve([](const WireRequest&, int number) { return number == 1 ? answer(404, {}, k_no_such_key) : stored("\"e\""); });
  EXPECT_TRUE(m_store->put("k", "x", {}).ok());
  EXPECT_EQ(m_server->requests().size(), 2u);
}

TEST_F(S3StoreTest, NothingFoundBesideAnotherCreatorIsARace) {
  serve([](const WireRequest& request, int) {
    if (request.target == "/b/there") return stored("\"e\"");
    return request.method == "PUT" ? answer(404, {}, k_no_such_key) : answer(404);
  });
  PutOptions create;
  create.if_absent = true;
  EXPECT_FALSE(m_store->put("k", "x", create).failed_with(ErrorKind::conflict)) << "there may be no bucket";
  ASSERT_TRUE(m_store->put("there", "x", {}).ok());
  EXPECT_TRUE(m_store->put("k", "x", create).failed_with(ErrorKind::conflict));
}

TEST_F(S3StoreTest, RaceIsTheCallersToRepeat) {
  serve([](const WireRequest&, int) {
    return answer(409, {}, "<Error><Code>ConditionalRequestConflict</Code></Error>");
  });
  EXPECT_TRUE(m_store->put("k", "x", if_match("\"e\"")).failed_with(ErrorKind::conflict));
  EXPECT_EQ(m_server->requests().size(), 1U);
}

TEST_F(S3StoreTest, SaysWhenTheStoreHasNoConditionalWrites) {
  serve([](const WireRequest&, int) { return answer(501, {}, "<Error><Code>NotImplemented</Code></Error>"); });
  PutOptions options;
  options.if_absent = true;
  const auto info = m_store->put("k", "x", options);
  ASSERT_TRUE(info.failed_with(ErrorKind::unsupported));
  EXPECT_NE(info.error().message.find("no conditional writes"), std::string::npos);
}

TEST_F(S3StoreTest, LearnsThatAStoreWantsETagsWithoutQuotes) {
  std::string etag = "\"e1\"";
  serve([&etag](const WireRequest& request, int) {  // as Ceph RGW 16 does
    if (request.method == "HEAD") return object(request, "x", etag);
    if ('"' + request.header("if-match") + '"' != etag) return answer(412, {}, k_condition_failed);
    etag = "\"e2\"";
    return stored(etag);
  });
  EXPECT_TRUE(m_store->put("k", "x", if_match("\"e1\"")).ok());
  EXPECT_EQ(requests(), (std::vector<std::string>{"PUT /b/k", "HEAD /b/k", "PUT /b/k"}));
  // Known from now on: a success costs one request, and a refusal is one.
  EXPECT_TRUE(m_store->put("k", "x", if_match("\"e2\"")).ok());
  EXPECT_TRUE(m_store->put("k", "x", if_match("\"e1\"")).failed_with(ErrorKind::precondition_failed));
  EXPECT_EQ(requests().size(), 5U);
}

TEST_F(S3StoreTest, RepeatedPutThatFindsItsOwnBytesSucceeds) {
  serve([](const WireRequest& request, int number) {
    if (request.method == "HEAD") return object(request, "mine", "\"mine\"", sha256_hex("mine"));
    return number == 1 ? no_answer() : answer(412, {}, k_condition_failed);
  });
  PutOptions options;
  options.if_absent = true;
  const auto info = m_store->put("k", "mine", options);
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(info->etag.text, "\"mine\"");
}

TEST_F(S3StoreTest, ComparesBytesWhereTheStoreKeepsNoDigest) {
  for (const std::string there : {"mine", "them"}) {
    serve([there](const WireRequest& request, int number) {
      if (request.method != "PUT") return object(request, there, "\"x\"");
      return number == 1 ? answer(500) : answer(412, {}, k_condition_failed);
    });
    const auto info = m_store->put("k", "mine", if_match("\"old\""));
    EXPECT_EQ(info.ok(), there == "mine");
    EXPECT_EQ(info.failed_with(ErrorKind::precondition_failed), there != "mine");
  }
}

TEST_F(S3StoreTest, OwnBytesInPlaceDoNotExcuseAFirstRefusal) {
  serve([](const WireRequest& request, int) {
    if (request.method == "HEAD") return object(request, "same", "\"theirs\"", sha256_hex("same"));
    return answer(412, {}, k_condition_failed);
  });
  EXPECT_TRUE(m_store->put("k", "same", if_match("\"old\"")).failed_with(ErrorKind::precondition_failed));
}

TEST_F(S3StoreTest, RemovingWhatIsAbsentSucceeds) {
  serve([](const WireRequest& request, int) {
    return request.method == "DELETE" && request.target == "/b/there" ? answer(204) : answer(404, {}, k_no_such_key);
  });
  EXPECT_TRUE(m_store->remove("there", {}).ok());
  serve([](const WireRequest& request, int) {
    return request.target == "/b" ? answer(200) : answer(404, {}, k_no_such_key);
  });
  EXPECT_TRUE(m_store->remove("absent", {}).ok());
}

TEST_F(S3StoreTest, ARemovalThatMayGoOnceIsNotRepeated) {
  RemoveOptions once;
  once.once = true;
  serve([](const WireRequest&, int) { return answer(500); });
  EXPECT_TRUE(m_store->remove("k", once).failed_with(ErrorKind::unavailable));
  EXPECT_EQ(requests().size(), 1u);
  // The server goes away under a connection that was kept, after it has read the request.
  serve([](const WireRequest&, int number) { return number > 1 ? no_answer() : answer(204); });
  EXPECT_TRUE(m_store->remove("k", once).ok());
  EXPECT_TRUE(m_store->remove("k", once).failed_with(ErrorKind::unavailable));
  EXPECT_EQ(requests().size(), 2u);
}

TEST_F(S3StoreTest, ARemovalBearsTheTimeAtWhichItWasDecided) {
  serve([](const WireRequest&, int) { return answer(204); });
  RemoveOptions options;
  options.decided = m_clock.now();
  m_clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(m_store->remove("k", options).ok());
  EXPECT_TRUE(m_store->remove("k", {}).ok());
  EXPECT_EQ(m_server->requests().at(0).header("x-amz-date"), "20270115T080000Z");
  EXPECT_EQ(m_server->requests().at(1).header("x-amz-date"), "20270115T090000Z");
}

TEST_F(S3StoreTest, NoRemovalBeginsAfterItsDeadline) {
  serve([](const WireRequest&, int) { return answer(204); });
  RemoveOptions options;
  options.deadline = m_clock.steady() + std::chrono::minutes(5);
  EXPECT_TRUE(m_store->remove("k", options).ok());
  m_clock.advance(std::chrono::minutes(5));
  EXPECT_TRUE(m_store->remove("k", options).failed_with(ErrorKind::timed_out));
  EXPECT_EQ(requests().size(), 1u);
}

// DELETE of "" would be DeleteBucket.
TEST_F(S3StoreTest, EmptyKeyIsRefusedBeforeAnythingIsSent) {
  serve([](const WireRequest&, int) { return answer(204); });
  EXPECT_TRUE(m_store->remove("", {}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(m_store->head("").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(m_store->get("", {}, 10).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(m_store->put("", "x", {}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(m_server->requests().empty());
}

TEST_F(S3StoreTest, StopEndsEveryCall) {
  serve([](const WireRequest&, int) { return answer(200); });
  m_stop.request_stop();
  EXPECT_TRUE(m_store->head("k").failed_with(ErrorKind::cancelled));
  EXPECT_TRUE(m_server->requests().empty());
}

// A body that need not be in memory, or a file, and a server that takes multipart uploads.
class S3UploadTest : public S3StoreTest {
protected:
  ~S3UploadTest() override { m_server.reset(); }  // its threads may still be answering, and use what is below

  PutOptions write(const std::string& bytes) {
    std::ofstream(m_path, std::ios::binary) << bytes;
    PutOptions options;
    options.sha256 = sha256_hex(bytes);
    return options;
  }
  PutOptions write_large() { return write(m_large); }

  // Plays the store for one upload, but for what `special` answers (a non-empty answer).
  void serve_parts(std::function<std::optional<WireAnswer>(const WireRequest&)> special) {
    serve([this, special = std::move(special)](const WireRequest& request, int) {
      if (auto reply = special(request)) return *reply;
      if (request.target.ends_with("?uploads="))
        return answer(200, {}, "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>");
      if (request.method == "PUT") {
        const std::size_t at = request.target.find("partNumber=") + 11;
        const std::string number = request.target.substr(at, request.target.find('&') - at);
        EXPECT_EQ(request.header("x-amz-content-sha256"), sha256_hex(request.body));
        EXPECT_EQ(request.header("x-amz-checksum-sha256"), to_base64(*from_hex(sha256_hex(request.body))));
        m_parts[std::stoi(number)] = request.body;
        return answer(200, {{"ETag", "\"p" + number + "\""}});
      }
      if (request.method == "POST")
        return answer(200, {}, "<CompleteMultipartUploadResult><ETag>\"e-5\"</ETag></CompleteMultipartUploadResult>");
      if (request.method == "DELETE") return answer(204);
      return answer(200, {{"ETag", "\"e-5\""},
                          {"Last-Modified", k_date},
                          {"Content-Length", std::to_string(m_large.size())},
                          {"x-amz-meta-repoupdate-sha256", sha256_hex(m_large)}});
    });
  }
  std::size_t count(const std::string& method) const {
    const auto all = m_server->requests();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const WireRequest& request) { return request.method == method; }));
  }

  ScratchDirectory m_directory;
  const std::filesystem::path m_path = m_directory.path("package");
  const std::string m_large = [] {
    std::string bytes(k_max_single_put + 3, 'a');
    for (std::size_t i = 0; i < bytes.size(); i += 4096) bytes[i] = static_cast<char>(i >> 12);
    return bytes;
  }();
  std::map<int, std::string> m_parts;
};

TEST_F(S3UploadTest, SmallFileIsOnePut) {
  serve([](const WireRequest&, int) { return stored("\"e\""); });
  const std::string bytes(600'000, 'x');
  const PutOptions options = write(bytes);
  std::uint64_t done = 0;
  const auto info = m_store->put_file("a.rpm", m_path, options, [&done](std::uint64_t so_far) { done = so_far; });
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(m_server->requests().at(0).body, bytes);
  EXPECT_EQ(m_server->requests().at(0).header("x-amz-content-sha256"), options.sha256);
  EXPECT_EQ(done, bytes.size());
  EXPECT_EQ(info->sha256, options.sha256);
}

TEST_F(S3UploadTest, WholeFileIsSentAgainAfterAFailure) {
  serve([](const WireRequest&, int number) { return number == 1 ? answer(500) : stored("\"e\""); });
  const std::string bytes(600'000, 'x');
  ASSERT_TRUE(m_store->put_file("a.rpm", m_path, write(bytes), {}).ok());
  EXPECT_EQ(m_server->requests().at(1).body, bytes);
}

TEST_F(S3UploadTest, NeedsTheDigestAndTheFile) {
  serve([](const WireRequest&, int) { return stored("\"e\""); });
  PutOptions options = write("x");
  options.sha256.clear();
  EXPECT_TRUE(m_store->put_file("a.rpm", m_path, options, {}).failed_with(ErrorKind::invalid));
  options.sha256 = sha256_hex("x");
  EXPECT_TRUE(m_store->put_file("a.rpm", m_path / "nowhere", options, {}).failed_with(ErrorKind::not_found));
  EXPECT_TRUE(m_server->requests().empty());
}

TEST_F(S3UploadTest, LargeFileGoesInPartsWithItsRecord) {
  serve_parts([](const WireRequest&) { return std::nullopt; });
  const PutOptions options = write_large();
  std::uint64_t done = 0;
  const auto info = m_store->put_file("a.rpm", m_path, options, [&done](std::uint64_t so_far) { done = so_far; });
  ASSERT_TRUE(info.ok()) << info.error().text();
  std::string joined;
  for (const auto& [number, bytes] : m_parts) joined += bytes;
  EXPECT_EQ(m_parts.size(), 5U);
  EXPECT_TRUE(joined == m_large);
  EXPECT_EQ(done, m_large.size());
  EXPECT_EQ(m_server->requests().at(0).header("x-amz-meta-repoupdate-sha256"), options.sha256);
  EXPECT_EQ(info->etag.text, "\"e-5\"");
  EXPECT_EQ(count("DELETE"), 0U);
}

TEST_F(S3UploadTest, SmallBodyIsOnePutUnderItsCondition) {
  serve([](const WireRequest&, int) { return stored("\"e\""); });
  const std::string bytes(3'000'000, 'x');
  FaultyBytes body(bytes);
  PutOptions options = if_match("\"old\"");
  options.sha256 = sha256_hex(bytes);
  const auto info = m_store->put("k", body, options);
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(info->sha256, options.sha256);
  ASSERT_EQ(requests(), std::vector<std::string>{"PUT /b/k"});
  const WireRequest sent = m_server->requests().front();
  EXPECT_TRUE(sent.body == bytes);
  EXPECT_EQ(sent.header("x-amz-content-sha256"), options.sha256);
  EXPECT_EQ(sent.header("if-match"), "\"old\"");
  EXPECT_LE(body.largest_read(), k_local_piece);
}

TEST_F(S3UploadTest, EmptyBodyIsPut) {
  serve([](const WireRequest&, int) { return stored("\"e\""); });
  PutOptions options;
  EXPECT_TRUE(m_store->put("k", MemoryBytes(""), options).failed_with(ErrorKind::invalid)) << "without its SHA-256";
  options.sha256 = sha256_hex("");
  ASSERT_TRUE(m_store->put("k", MemoryBytes(""), options).ok());
  EXPECT_EQ(m_server->requests().at(0).header("content-length"), "0");
}

TEST_F(S3UploadTest, LargeBodyGoesInPartsAndIsNeverReadWhole) {
  serve_parts([](const WireRequest&) { return std::nullopt; });
  FaultyBytes body(m_large);
  body.piece = 3'000'000;  // parts do not end where pieces do
  PutOptions options = if_match("\"e-5\"");
  options.sha256 = sha256_hex(m_large);
  const auto info = m_store->put("k", body, options);
  ASSERT_TRUE(info.ok()) << info.error().text();
  std::string joined;
  for (const auto& [number, bytes] : m_parts) joined += bytes;
  EXPECT_TRUE(joined == m_large);
  EXPECT_LE(body.largest_read(), body.piece);
  const auto all = m_server->requests();
  const auto end = std::find_if(all.begin(), all.end(), [](const WireRequest& request) {
    return request.method == "POST" && !request.target.ends_with("?uploads=");
  });
  ASSERT_NE(end, all.end());
  EXPECT_EQ(end->header("if-match"), "\"e-5\"") << "the condition holds when it appears";
}

// What the caller does about a lost condition would be wrong here: the object was not looked at.
TEST_F(S3UploadTest, BodyThatChangesIsNotALostCondition) {
  FaultyBytes small("small");
  FaultyBytes large(m_large);
  serve_parts([&large](const WireRequest& request) -> std::optional<WireAnswer> {
    if (request.target.ends_with("?uploads=")) large.broken_from = large.size() - 1;  // its digest has been read
    if (request.method == "HEAD") return answer(request.target == "/b" ? 200 : 404);
    return std::nullopt;
  });
  small.broken_from = 3;
  PutOptions options;
  options.if_absent = true;
  options.sha256 = sha256_hex("small");
  EXPECT_TRUE(m_store->put("k", small, options).failed_with(ErrorKind::unavailable));
  options.sha256 = sha256_hex(m_large);
  EXPECT_TRUE(m_store->put("k", large, options).failed_with(ErrorKind::unavailable));
  EXPECT_EQ(m_server->requests().back().method, "DELETE") << "what was sent of it is removed";
}

TEST_F(S3UploadTest, FailedPartAbortsTheUpload) {
  serve_parts([](const WireRequest& request) -> std::optional<WireAnswer> {
    if (request.target.find("partNumber=3&") == std::string::npos) return std::nullopt;
    return answer(400, {}, "<Error><Code>XAmzContentSHA256Mismatch</Code></Error>");
  });
  EXPECT_TRUE(m_store->put_file("a.rpm", m_path, write_large(), {}).failed_with(ErrorKind::corrupt));
  const auto all = m_server->requests();
  EXPECT_EQ(std::count_if(all.begin(), all.end(),
                          [](const WireRequest& request) {
                            return request.method == "PUT" && request.target.find("partNumber=3&") != std::string::npos;
                          }),
            3);
  EXPECT_EQ(count("POST"), 1U);
  EXPECT_EQ(m_server->requests().back().method + m_server->requests().back().target, "DELETE/b/a.rpm?uploadId=U");
}

TEST_F(S3UploadTest, StoppedUploadIsAbortedToo) {
  serve_parts([this](const WireRequest& request) -> std::optional<WireAnswer> {
    if (request.method == "PUT") m_stop.request_stop();
    return std::nullopt;
  });
  EXPECT_TRUE(m_store->put_file("a.rpm", m_path, write_large(), {}).failed_with(ErrorKind::cancelled));
  EXPECT_EQ(count("DELETE"), 1U);
}

// Nobody who wants the program to end waits for many attempts at a store that answers nothing.
TEST_F(S3UploadTest, AbortOfAStoppedUploadIsTriedOnce) {
  serve_parts([this](const WireRequest& request) -> std::optional<WireAnswer> {
    if (request.method == "PUT") m_stop.request_stop();
    if (request.method == "DELETE") return answer(500);
    return std::nullopt;
  });
  EXPECT_TRUE(m_store->put_file("a.rpm", m_path, write_large(), {}).failed_with(ErrorKind::cancelled));
  EXPECT_EQ(count("DELETE"), 1U);
}

// A pause that the store asked for is kept where that takes no longer than anybody waits who wants the program to end.
TEST_F(S3UploadTest, AbortOfAStoppedUploadWaitsForNoLongPause) {
  const PutOptions options = write_large();
  for (const int pause : {5, 20}) {
    m_stop = {};
    serve_parts([pause](const WireRequest& request) -> std::optional<WireAnswer> {
      if (request.method != "PUT") return std::nullopt;
      return answer(503, {{"Retry-After", std::to_string(pause)}}, "<Error><Code>SlowDown</Code></Error>");
    });
    m_clock.before_sleep = [this] { m_stop.request_stop(); };
    const SteadyTime start = m_clock.steady();
    EXPECT_TRUE(m_store->put_file("a.rpm", m_path, options, {}).failed_with(ErrorKind::cancelled)) << pause;
    EXPECT_LE(m_clock.steady() - start, k_parting_time) << pause;
    EXPECT_EQ(count("DELETE"), pause == 5 ? 1U : 0U);
  }
}

TEST_F(S3UploadTest, AbortIsRepeatedUntilItIsStopped) {
  serve_parts([this](const WireRequest& request) -> std::optional<WireAnswer> {
    if (request.method == "PUT") return answer(403);
    if (request.method != "DELETE") return std::nullopt;
    if (count("DELETE") == 2) m_stop.request_stop();
    return answer(count("DELETE") < 3 ? 500 : 204);
  });
  EXPECT_TRUE(m_store->put_file("a.rpm", m_path, write_large(), {}).failed_with(ErrorKind::denied));
  EXPECT_EQ(count("DELETE"), 3U);
}

TEST_F(S3UploadTest, AbortThatFailsIsPartOfTheMessage) {
  serve_parts([](const WireRequest& request) -> std::optional<WireAnswer> {
    if (request.method == "PUT" || request.method == "DELETE") return answer(403);
    return std::nullopt;
  });
  const auto info = m_store->put_file("a.rpm", m_path, write_large(), {});
  ASSERT_TRUE(info.failed_with(ErrorKind::denied));
  EXPECT_NE(info.error().message.find("could not be removed"), std::string::npos);
}

// A 200 may carry the failure inside: it is repeated while it may pass, else it is a failure.
TEST_F(S3UploadTest, ReadsTheAnswerToTheEndOfTheUpload) {
  int ends = 0;
  serve_parts([&ends](const WireRequest& request) -> std::optional<WireAnswer> {
    if (request.method != "POST" || request.target.ends_with("?uploads=")) return std::nullopt;
    if (++ends == 1) return answer(200, {}, "<Error><Code>InternalError</Code></Error>");
    return answer(200, {}, "<Error><Code>InvalidPart</Code></Error>");
  });
  EXPECT_FALSE(m_store->put_file("a.rpm", m_path, write_large(), {}).ok());
  EXPECT_GT(ends, 1);
  EXPECT_EQ(count("DELETE"), 1U);
}

TEST_F(S3UploadTest, EndWhoseAnswerWasLostIsFoundOut) {
  bool has_ended = false;
  serve_parts([&has_ended](const WireRequest& request) -> std::optional<WireAnswer> {
    if (request.method != "POST" || request.target.ends_with("?uploads=")) return std::nullopt;
    if (!std::exchange(has_ended, true)) return no_answer();
    return answer(404, {}, "<Error><Code>NoSuchUpload</Code></Error>");
  });
  const auto info = m_store->put_file("a.rpm", m_path, write_large(), {});
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(info->etag.text, "\"e-5\"");
}

TEST_F(S3UploadTest, FileThatIsNotTheOneThatWasHashedIsNotSent) {
  serve_parts([](const WireRequest&) { return std::nullopt; });
  PutOptions options = write_large();
  options.sha256 = sha256_hex("something else");
  EXPECT_TRUE(m_store->put_file("a.rpm", m_path, options, {}).failed_with(ErrorKind::corrupt));
  EXPECT_TRUE(m_server->requests().empty());
}

TEST_F(S3UploadTest, LostConditionIsFoundBeforeMuchIsSent) {
  serve_parts([](const WireRequest&) { return std::nullopt; });
  PutOptions options = write_large();
  options.if_absent = true;
  EXPECT_TRUE(m_store->put_file("a.rpm", m_path, options, {}).failed_with(ErrorKind::precondition_failed));
  EXPECT_EQ(requests(), std::vector<std::string>{"HEAD /b/a.rpm"});
}

TEST(S3PartSize, KeepsWithinTheNumberOfParts) {
  EXPECT_EQ(part_size_of(1), k_min_part_size);
  EXPECT_EQ(part_size_of(k_min_part_size * k_max_parts), k_min_part_size);
  for (const std::uint64_t size : {k_min_part_size * k_max_parts + 1, std::uint64_t{5} << 40}) {
    EXPECT_GT(part_size_of(size), k_min_part_size);
    EXPECT_LE((size + part_size_of(size) - 1) / part_size_of(size), k_max_parts);
    EXPECT_EQ(part_size_of(size) % (1 << 20), 0U);
  }
}

}  // namespace
}  // namespace repoupdate
