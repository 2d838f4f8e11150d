// SPDX-License-Identifier: Apache-2.0
#include "io/credentials.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/parallel.hpp"
#include "testkit/fake_clock.hpp"
#include "testkit/loopback_server.hpp"

namespace repoupdate {
namespace {

std::string temporary_keys(const std::string& id, SystemTime expires) {
  return R"({"Code":"Success","AccessKeyId":")" + id + R"(","SecretAccessKey":"S","Token":"T","Expiration":")" +
         to_iso8601(expires) + R"("})";
}

// A provider that sees an environment which is a map, a home of its own, and a metadata service when one is made.
class CredentialsTest : public ::testing::Test {
protected:
  CredentialsTest() {
    std::filesystem::create_directories(m_home / ".aws");
    m_environment = {{"HOME", m_home}, {"AWS_EC2_METADATA_DISABLED", "true"}};
  }
  ~CredentialsTest() override { std::filesystem::remove_all(m_home); }

  void write(const std::string& name, const std::string& text) { std::ofstream(m_home / ".aws" / name) << text; }

  CredentialsProvider provider(const std::string& profile = {}) {
    return {[this](const std::string& name) {
              const auto found = m_environment.find(name);
              return found == m_environment.end() ? std::string() : found->second;
            },
            profile, m_http, m_clock};
  }
  Result<Credentials> get(const std::string& profile = {}) { return provider(profile).get(); }

  // IMDSv2, which wants a token from a PUT before it tells anything.
  void serve_instance(std::function<std::string()> keys) {
    m_server = std::make_unique<LoopbackServer>([keys = std::move(keys)](const WireRequest& request, int) {
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

  const std::filesystem::path m_home =
      std::filesystem::path(::testing::TempDir()) /
      ("credentials-" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
  std::map<std::string, std::string> m_environment;
  FakeClock m_clock;
  std::unique_ptr<LoopbackServer> m_server;
  HttpClient m_http{HttpClientOptions{}};
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

TEST_F(CredentialsTest, NamesWhatAProfileWantsAndIsNotSupported) {
  for (const std::string name :
       {"role_arn", "sso_session", "sso_start_url", "web_identity_token_file", "credential_process"}) {
    write("config", "[profile build]\n" + name + " = something\n");
    const auto credentials = get("build");
    ASSERT_TRUE(credentials.failed_with(ErrorKind::unsupported)) << name;
    EXPECT_NE(credentials.error().message.find("'" + name + "'"), std::string::npos);
    EXPECT_NE(credentials.error().message.find("'build'"), std::string::npos);
  }
  m_environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  EXPECT_TRUE(get().failed_with(ErrorKind::unsupported));
}

TEST_F(CredentialsTest, NamesEverySourceWhenThereIsNone) {
  const auto credentials = get();
  ASSERT_TRUE(credentials.failed_with(ErrorKind::denied));
  for (const char* source :
       {"AWS_ACCESS_KEY_ID", "profile 'default'", "AWS_CONTAINER_CREDENTIALS", "instance metadata"})
    EXPECT_NE(credentials.error().message.find(source), std::string::npos) << source;
}

TEST_F(CredentialsTest, ContainerEndpointGetsItsTokenFromAFileThatChanges) {
  m_server = std::make_unique<LoopbackServer>([this](const WireRequest& request, int) {
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

TEST_F(CredentialsTest, BrokenAnswersAreNamedAndNotUsed) {
  for (const char* body : {"", "[]", "{}", R"({"Code":"AssumeRoleUnauthorizedAccess"})", R"({"AccessKeyId":"A"})",
                           R"({"AccessKeyId":"A","SecretAccessKey":"S","Expiration":"soon"})"}) {
    serve_instance([body] { return std::string(body); });
    EXPECT_FALSE(get().ok()) << body;
  }
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
  for_each_parallel(8, 8, [&](std::size_t) { EXPECT_EQ(provider.get()->access_key_id, "K2"); });
  EXPECT_EQ(fetches, 2);
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
