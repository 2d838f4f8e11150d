// SPDX-License-Identifier: Apache-2.0
#include "io/credentials.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/parallel.hpp"
#include "io/credentials_answer.hpp"
#include "io/metadata_credentials.hpp"
#include "io/sample_aws_home.hpp"

namespace repoupdate {
namespace {

std::string temporary_keys(const std::string& id, SystemTime expires) {
  return R"({"Code":"Success","AccessKeyId":")" + id + R"(","SecretAccessKey":"S","Token":"T","Expiration":")" +
         to_iso8601(expires) + R"("})";
}

class CredentialsTest : public AwsHome {
protected:
  // STS, asked with the web identity of a pod.
  void serve_role(std::function<WireAnswer(int number)> role) {
    serve([role = std::move(role)](const WireRequest&, int number) { return role(number); });
    write("token", "TOKEN");
    m_environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = path("token");
    m_environment["AWS_ROLE_ARN"] = "arn:aws:iam::123456789012:role/pod";
    m_environment["AWS_ENDPOINT_URL_STS"] = m_server->url();
  }

  // IMDSv2, which wants a token from a PUT before it tells anything.
  void serve_instance(std::function<std::string()> keys) {
    serve([keys = std::move(keys)](const WireRequest& request, int) {
      if (request.method == "PUT" && request.target == "/latest/api/token" &&
          request.header("x-aws-ec2-metadata-token-ttl-seconds") == "21600")
        return answer(200, {}, "TOKEN");
      if (request.header("x-aws-ec2-metadata-token") != "TOKEN") return answer(401);
      if (request.target == "/latest/meta-data/iam/security-credentials/") return answer(200, {}, "my-role\n");
      if (request.target == "/latest/meta-data/iam/security-credentials/my-role") return answer(200, {}, keys());
      return answer(404);
    });
    m_environment.erase("AWS_EC2_METADATA_DISABLED");
    m_environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = m_server->url();
  }
};

TEST_F(CredentialsTest, EnvironmentComesFirst) {
  write("credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = S\n");
  m_environment["AWS_ACCESS_KEY_ID"] = "ENV";
  m_environment["AWS_SECRET_ACCESS_KEY"] = "S";
  m_environment["AWS_SESSION_TOKEN"] = "T";
  EXPECT_EQ(get()->access_key_id, "ENV");
  EXPECT_EQ(get()->session_token, "T");
}

TEST_F(CredentialsTest, HalfAPairIsAnErrorAndNotTheNextSource) {
  write("credentials",
        "[default]\naws_access_key_id = FILE\naws_secret_access_key = S\n[half]\naws_access_key_id = A\n");
  m_environment["AWS_ACCESS_KEY_ID"] = "ENV";
  EXPECT_TRUE(get().failed_with(ErrorKind::invalid));
  EXPECT_TRUE(get("half").failed_with(ErrorKind::invalid));
}

TEST_F(CredentialsTest, ProfileOfTheSettingsGoesBeforeTheEnvironment) {
  write("credentials", "[build]\naws_access_key_id = FILE\naws_secret_access_key = S\naws_session_token = T\n");
  m_environment["AWS_ACCESS_KEY_ID"] = "ENV";
  m_environment["AWS_SECRET_ACCESS_KEY"] = "S";
  EXPECT_EQ(get("build")->access_key_id, "FILE");
  EXPECT_EQ(get("build")->session_token, "T");
}

TEST_F(CredentialsTest, KeysMayStandInTheConfigFile) {
  write("config", "[profile build]\naws_access_key_id = CONFIG\naws_secret_access_key = S\n");
  EXPECT_EQ(get("build")->access_key_id, "CONFIG");
}

TEST_F(CredentialsTest, NoOtherSourceStandsInForAChosenProfile) {
  write("config", "[profile build]\nregion = eu-west-1\n");
  serve_instance([this] { return temporary_keys("IMDS", m_clock.now() + std::chrono::hours(6)); });
  EXPECT_TRUE(get("build").failed_with(ErrorKind::denied));
  EXPECT_TRUE(get("nowhere").failed_with(ErrorKind::invalid));
  m_environment["AWS_PROFILE"] = "build";
  EXPECT_TRUE(get().failed_with(ErrorKind::denied));
  EXPECT_TRUE(m_server->requests().empty());
}

TEST_F(CredentialsTest, NamesEverySourceWhenThereIsNone) {
  const auto credentials = get();
  ASSERT_TRUE(credentials.failed_with(ErrorKind::denied));
  for (const char* source : {"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "profile 'default'",
                             "AWS_CONTAINER_CREDENTIALS", "instance metadata"})
    EXPECT_NE(credentials.error().message.find(source), std::string::npos) << source;
}

TEST_F(CredentialsTest, ContainerEndpointGetsItsTokenFromAFileThatChanges) {
  serve([this](const WireRequest& request, int) {
    return answer(200, {}, temporary_keys("CONTAINER-" + request.header("authorization"), m_clock.now()));
  });
  m_environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = m_server->url() + "/creds?id=a%2Fb";
  m_environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "from-environment";
  EXPECT_EQ(get()->access_key_id, "CONTAINER-from-environment");
  EXPECT_EQ(m_server->requests().at(0).target, "/creds?id=a%2Fb");
  m_environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = m_home / ".aws/token";
  write("token", "first\n");
  CredentialsProvider provider = this->provider();
  EXPECT_EQ(provider.get()->access_key_id, "CONTAINER-first");
  write("token", "second\n");
  EXPECT_EQ(provider.get()->access_key_id, "CONTAINER-second");
}

TEST_F(CredentialsTest, TokenOfAContainerGoesToNoOtherMachine) {
  for (const char* url : {"http://192.0.2.1/creds", "http://localhost.example/creds", "http://127.0.0.1.example/creds",
                          "http://[2001:db8::1]/creds", "ftp://127.0.0.1/"}) {
    m_environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    EXPECT_TRUE(get().failed_with(ErrorKind::invalid)) << url;
  }
}

TEST_F(CredentialsTest, ContainerOfEcsAsksAtTheLinkLocalAddressAndOneOfEksAtItsOwn) {
  m_environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/some-id";
  m_environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://192.0.2.1/never-asked";
  const auto ecs = container_request(environment());
  ASSERT_TRUE(ecs.ok()) << ecs.error().text();
  EXPECT_EQ(url(**ecs), "http://169.254.170.2/v2/credentials/some-id");
  m_environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "@evil.example/";
  EXPECT_TRUE(container_request(environment()).failed_with(ErrorKind::invalid));

  m_environment.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  m_environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = path("eks-token");
  write("eks-token", "eyJ.token\n");
  for (const std::string eks : {"http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"}) {
    m_environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = eks;
    const auto request = container_request(environment());
    ASSERT_TRUE(request.ok()) << request.error().text();
    EXPECT_EQ(url(**request), eks);
    EXPECT_EQ((*request)->headers, (HttpHeaders{{"authorization", "eyJ.token"}}));
  }
  m_environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = path("missing");
  EXPECT_TRUE(container_request(environment()).failed_with(ErrorKind::denied));
}

TEST_F(CredentialsTest, BrokenContainerEndpointIsNotPassedOver) {
  serve_instance([this] { return temporary_keys("IMDS", m_clock.now() + std::chrono::hours(6)); });
  LoopbackServer container([](const WireRequest&, int) { return answer(500); });
  m_environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = container.url();
  EXPECT_TRUE(get().failed_with(ErrorKind::unavailable));
  EXPECT_TRUE(m_server->requests().empty());
}

TEST_F(CredentialsTest, InstanceMetadataIsTheLastSource) {
  serve_instance([this] { return temporary_keys("IMDS", m_clock.now() + std::chrono::hours(6)); });
  const auto credentials = get();
  ASSERT_TRUE(credentials.ok()) << credentials.error().text();
  EXPECT_EQ(credentials->access_key_id, "IMDS");
  EXPECT_EQ(credentials->session_token, "T");
  EXPECT_TRUE(credentials->expires.has_value());
}

// Version 1 would give the keys to whoever makes this machine fetch a URL.
TEST_F(CredentialsTest, InstanceThatKnowsNoSessionTokensIsNotAskedWithoutOne) {
  serve([this](const WireRequest& request, int) {
    if (request.method == "PUT") return answer(404);
    if (request.target.ends_with("/")) return answer(200, {}, "my-role");
    return answer(200, {}, temporary_keys("V1", m_clock.now() + std::chrono::hours(6)));
  });
  m_environment.erase("AWS_EC2_METADATA_DISABLED");
  m_environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = m_server->url();
  EXPECT_TRUE(get().failed_with(ErrorKind::denied));
  EXPECT_EQ(m_server->requests().size(), 1U);
}

// It gave its token, so it is there: what it cannot do now is worth another try, and no lack of credentials.
TEST_F(CredentialsTest, InstanceThatFailsAfterItsTokenIsAnErrorOfItsOwnKind) {
  const struct {
    const char* path;
    WireAnswer fault;
    ErrorKind kind;
  } cases[] = {{"/", answer(429), ErrorKind::unavailable},
               {"/", answer(500), ErrorKind::unavailable},
               {"/", no_answer(), ErrorKind::unavailable},
               {"/", {{}, false, true}, ErrorKind::timed_out},
               {"/", answer(401), ErrorKind::denied},
               {"/my-role", answer(503), ErrorKind::unavailable},
               {"/my-role", answer(200, {}, R"({"Code":"AssumeRoleUnauthorizedAccess"})"), ErrorKind::unavailable},
               {"/my-role", answer(200, {}, "{}"), ErrorKind::corrupt}};
  for (const auto& c : cases) {
    serve([&](const WireRequest& request, int) {
      if (request.method == "PUT") return answer(200, {}, "TOKEN");
      return request.target.ends_with(c.path) ? c.fault : answer(200, {}, "my-role");
    });
    m_environment.erase("AWS_EC2_METADATA_DISABLED");
    m_environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = m_server->url();
    const auto credentials = get();
    ASSERT_FALSE(credentials.ok());
    EXPECT_EQ(credentials.error().kind, c.kind) << credentials.error().text();
    EXPECT_TRUE(credentials.error().message.starts_with("instance metadata")) << credentials.error().text();
  }
}

// Whoever answers is there; off EC2 nobody does.
TEST_F(CredentialsTest, InstanceThatCannotGiveItsTokenNowIsNoLackOfCredentials) {
  const struct {
    WireAnswer fault;
    ErrorKind kind;
  } cases[] = {{answer(429), ErrorKind::unavailable}, {answer(500), ErrorKind::unavailable},
               {answer(503), ErrorKind::unavailable}, {answer(403), ErrorKind::denied},
               {no_answer(), ErrorKind::denied},      {{{}, false, true}, ErrorKind::denied}};
  for (const auto& c : cases) {
    serve([&](const WireRequest&, int) { return c.fault; });
    m_environment.erase("AWS_EC2_METADATA_DISABLED");
    m_environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = m_server->url();
    const auto credentials = get();
    ASSERT_FALSE(credentials.ok());
    EXPECT_EQ(credentials.error().kind, c.kind) << credentials.error().text();
  }
}

TEST_F(CredentialsTest, InstanceWithoutARoleHasNoCredentials) {
  for (const int status : {404, 200}) {
    serve([&](const WireRequest& request, int) {
      return request.method == "PUT" ? answer(200, {}, "T") : answer(status);
    });
    m_environment.erase("AWS_EC2_METADATA_DISABLED");
    m_environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = m_server->url();
    const auto credentials = get();
    ASSERT_TRUE(credentials.failed_with(ErrorKind::denied));
    EXPECT_NE(credentials.error().message.find("the instance has no role"), std::string::npos);
  }
}

TEST_F(CredentialsTest, BrokenAnswersAreNamedAndNotUsed) {
  for (const char* body : {"", "[]", "{}", R"({"Code":"AssumeRoleUnauthorizedAccess"})", R"({"AccessKeyId":"A"})",
                           R"({"AccessKeyId":"A","SecretAccessKey":"S","Expiration":"soon"})"}) {
    serve_instance([body] { return std::string(body); });
    EXPECT_FALSE(get().ok()) << body;
  }
}

TEST_F(CredentialsTest, ASecretThatIsAPartOfWhatHidesItIsHiddenOnce) {
  EXPECT_EQ(without_secret("a secret is secret", "secret"), "a *** is ***");
  EXPECT_EQ(without_secret("a * b", "*"), "a *** b");
  EXPECT_EQ(without_secret("a *** b", "***"), "a *** b");
  EXPECT_EQ(without_secret("a", ""), "a");
}

TEST_F(CredentialsTest, RenewsOnceForAllThreadsBeforeTheEnd) {
  std::atomic<int> fetches = 0;
  serve_instance(
      [&] { return temporary_keys("K" + std::to_string(++fetches), m_clock.now() + std::chrono::hours(1)); });
  CredentialsProvider provider = this->provider();
  for_each_parallel(8, 8, [&](std::size_t) { EXPECT_EQ(provider.get()->access_key_id, "K1"); });
  m_clock.advance(std::chrono::minutes(44));
  EXPECT_EQ(provider.get()->access_key_id, "K1");
  m_clock.advance(std::chrono::minutes(2));
  for_each_parallel(8, 8, [&](std::size_t) { EXPECT_TRUE(provider.get().ok()); });
  EXPECT_EQ(provider.get()->access_key_id, "K2");
  EXPECT_EQ(fetches, 2);
}

// The answer to the renewal comes only when everybody else has got credentials: they cannot have waited for it.
TEST_F(CredentialsTest, NobodyWaitsForARenewalWhileTheOldOnesAreGood) {
  std::promise<void> others_are_done;
  serve_role([this, done = others_are_done.get_future().share()](int number) {
    if (number == 2) done.wait();
    return sts_answer("AssumeRoleWithWebIdentity", "K" + std::to_string(number), m_clock.now() + std::chrono::hours(1));
  });
  CredentialsProvider provider = this->provider();
  ASSERT_EQ(provider.get()->access_key_id, "K1");
  m_clock.advance(std::chrono::minutes(50));
  auto renewed = std::async(std::launch::async, [&] { return provider.get(); });
  while (m_server->requests().size() < 2) std::this_thread::yield();
  for_each_parallel(4, 4, [&](std::size_t) { EXPECT_EQ(provider.get()->access_key_id, "K1"); });
  others_are_done.set_value();
  EXPECT_EQ(renewed.get()->access_key_id, "K2");
  EXPECT_EQ(provider.get()->access_key_id, "K2");
}

TEST_F(CredentialsTest, FirstFetchIsSharedByAllThreadsAlsoWhenItFails) {
  std::promise<void> second_has_begun;
  serve_role([done = second_has_begun.get_future().share()](int number) {
    if (number == 1) done.wait();
    return answer(403);
  });
  CredentialsProvider provider = this->provider();
  auto first = std::async(std::launch::async, [&] { return provider.get(); });
  while (m_server->requests().empty()) std::this_thread::yield();
  auto second = std::async(std::launch::async, [&] {
    second_has_begun.set_value();
    return provider.get();
  });
  EXPECT_TRUE(first.get().failed_with(ErrorKind::denied));
  EXPECT_TRUE(second.get().failed_with(ErrorKind::denied));
  EXPECT_LE(m_server->requests().size(), 2U);  // one, when the second thread was in time
}

// Each source that may take long: one that answers nothing, a program that does not end.
TEST_F(CredentialsTest, FetchThatIsStoppedEnds) {
  write("config", "[profile process]\ncredential_process = sleep 1000\n");
  std::vector<std::function<void()>> sources = {
      [&] { serve_role([](int) {
              return WireAnswer{{}, false, true};
            }); },
      [&] {
        serve([](const WireRequest&, int) { return WireAnswer{{}, false, true}; });
        m_environment = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", m_server->url()}};
      },
      [&] {
        m_environment = {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", m_server->url()}};
      },
      [&] {
        m_environment = {{"HOME", m_home}, {"AWS_PROFILE", "process"}};
      }};
  for (const auto& set_up : sources) {
    set_up();
    std::stop_source stop;
    CredentialsProvider provider = this->provider();
    const auto begin = std::chrono::steady_clock::now();
    std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      stop.request_stop();
    });
    EXPECT_TRUE(provider.get(stop.get_token()).failed_with(ErrorKind::cancelled));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15));
  }
}

// Whoever waits for the same credentials is not stopped with the one that fetched them.
TEST_F(CredentialsTest, StopOfOneThreadIsNotTheOthers) {
  serve_role([this](int number) {
    if (number == 1) return WireAnswer{{}, false, true};
    return sts_answer("AssumeRoleWithWebIdentity", "K", m_clock.now() + std::chrono::hours(1));
  });
  CredentialsProvider provider = this->provider();
  std::stop_source stop, stop_of_waiter;
  auto first = std::async(std::launch::async, [&] { return provider.get(stop.get_token()); });
  while (m_server->requests().empty()) std::this_thread::yield();
  auto impatient = std::async(std::launch::async, [&] { return provider.get(stop_of_waiter.get_token()); });
  auto second = std::async(std::launch::async, [&] { return provider.get(); });
  stop_of_waiter.request_stop();
  EXPECT_TRUE(impatient.get().failed_with(ErrorKind::cancelled));
  stop.request_stop();
  EXPECT_TRUE(first.get().failed_with(ErrorKind::cancelled));
  EXPECT_EQ(second.get()->access_key_id, "K");
}

// 15 minutes is what a role's session may be cut down to: it must not be fetched anew every minute.
TEST_F(CredentialsTest, ShortLifeIsUsedToItsHalf) {
  int fetches = 0;
  serve_instance(
      [&] { return temporary_keys("K" + std::to_string(++fetches), m_clock.now() + std::chrono::minutes(15)); });
  CredentialsProvider provider = this->provider();
  ASSERT_EQ(provider.get()->access_key_id, "K1");
  m_clock.advance(std::chrono::minutes(7));
  EXPECT_EQ(provider.get()->access_key_id, "K1");
  m_clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(provider.get()->access_key_id, "K2");
}

TEST_F(CredentialsTest, UsesWhatIsStillGoodWhileItCannotRenew) {
  bool is_broken = false;
  serve_instance([&] { return is_broken ? "" : temporary_keys("K", m_clock.now() + std::chrono::hours(1)); });
  CredentialsProvider provider = this->provider();
  ASSERT_TRUE(provider.get().ok());
  is_broken = true;
  m_clock.advance(std::chrono::minutes(50));
  EXPECT_TRUE(provider.get().ok());
  const std::size_t asked = m_server->requests().size();
  EXPECT_TRUE(provider.get().ok());
  EXPECT_EQ(m_server->requests().size(), asked);  // not again for every request
  m_clock.advance(std::chrono::minutes(11));
  EXPECT_FALSE(provider.get().ok());
}

TEST_F(CredentialsTest, WhatAServiceCalledExpiredIsReadAnew) {
  m_environment["AWS_ACCESS_KEY_ID"] = "OLD";
  m_environment["AWS_SECRET_ACCESS_KEY"] = "S";
  CredentialsProvider provider = this->provider();
  const Credentials old = *provider.get();
  m_environment["AWS_ACCESS_KEY_ID"] = "NEW";
  EXPECT_EQ(provider.get()->access_key_id, "OLD");
  provider.expire(old);
  EXPECT_EQ(provider.get()->access_key_id, "NEW");
  provider.expire(old);  // late news of another thread
  m_environment["AWS_ACCESS_KEY_ID"] = "NEWER";
  EXPECT_EQ(provider.get()->access_key_id, "NEW");
}

}  // namespace
}  // namespace repoupdate
