// SPDX-License-Identifier: Apache-2.0
#include "io/status_server.hpp"

#include <gmock/gmock.h>

#include "io/http_client.hpp"

namespace repoupdate {
namespace {

using testing::HasSubstr;

class StatusServerTest : public testing::Test {
protected:
  HttpResponse ask(const std::string& path, const std::string& method = "GET", std::string_view body = {}) {
    HttpRequest request;
    request.method = method;
    request.scheme = "http";
    request.host = server->address();
    request.path = path;
    HttpExchange exchange;
    exchange.body = body;
    auto response = client.send(request, exchange);
    EXPECT_TRUE(response.ok()) << response.error().text();
    return response ? *response : HttpResponse{};
  }

  HttpClient client{{}};
  std::unique_ptr<StatusServer> server = *StatusServer::start("127.0.0.1:0", [](std::string_view path) -> StatusAnswer {
    if (path == "/page") return {503, "application/json", "{}"};
    return {};
  });
};

TEST_F(StatusServerTest, TellsWhatThePagesSay) {
  const HttpResponse page = ask("/page");
  EXPECT_EQ(page.status, 503);
  EXPECT_EQ(page.body, "{}");
  EXPECT_EQ(page.header("content-type"), "application/json");
  EXPECT_EQ(page.header("cache-control"), "no-store");
  EXPECT_EQ(ask("/other").status, 404);
}

TEST_F(StatusServerTest, HeadIsTheSameWithoutABody) {
  const HttpResponse page = ask("/page", "HEAD");
  EXPECT_EQ(page.status, 503);
  EXPECT_EQ(page.body, "");
  EXPECT_EQ(page.header("content-length"), "2");
}

TEST_F(StatusServerTest, NothingCanBeSentToIt) {
  const HttpResponse refused = ask("/page", "POST", "body");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.header("allow"), "GET, HEAD");
}

TEST_F(StatusServerTest, AnAddressInUseIsAnErrorThatNamesIt) {
  const auto second = StatusServer::start(server->address(), {});
  ASSERT_TRUE(second.failed_with(ErrorKind::io));
  EXPECT_THAT(second.error().message, HasSubstr(server->address()));
}

}  // namespace
}  // namespace repoupdate
