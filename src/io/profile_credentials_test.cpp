// SPDX-License-Identifier: Apache-2.0
#include "io/profile_credentials.hpp"

#include <gtest/gtest.h>

#include "io/http.hpp"
#include "io/sample_aws_home.hpp"
#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

constexpr const char* k_refused = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>";

bool says(const Result<Credentials>& credentials, const std::string& text) {
  return !credentials && credentials.error().text().find(text) != std::string::npos;
}

// The fields of a request's body.
std::map<std::string, std::string> form_of(const WireRequest& request) {
  std::map<std::string, std::string> form;
  const auto parsed = parse_url("http://h/?" + request.body);
  if (parsed)
    for (const auto& [name, value] : parsed->query) form[name] = value;
  return form;
}

// STS answers both actions with keys whose id names the role; requests are looked at by the tests.
class StsTest : public AwsHome {
protected:
  StsTest() {
    serve([this](const WireRequest& request, int) { return answer_of_sts(request); });
    m_environment["AWS_ENDPOINT_URL_STS"] = m_server->url();
    m_environment["AWS_REGION"] = "eu-west-1";
  }

  WireAnswer answer_of_sts(const WireRequest& request) const {
    auto form = form_of(request);
    const std::string action = form["Action"];
    const std::string name = form["RoleArn"].substr(form["RoleArn"].rfind('/') + 1);
    return sts_answer(action, "ASIA-" + name, m_clock.now() + std::chrono::hours(1));
  }
  std::string scope(const std::string& key, const std::string& region = "eu-west-1") const {
    return "Credential=" + key + '/' + to_basic_iso8601(m_clock.now()).substr(0, 8) + '/' + region +
           "/sts/aws4_request";
  }
};

TEST_F(StsTest, RoleIsAssumedWithTheKeysOfItsSourceProfile) {
  write("config",
        "[profile build]\nrole_arn = arn:aws:iam::123456789012:role/deploy\nsource_profile = base\n"
        "external_id = a+b&c=d\nrole_session_name = ci@host\nduration_seconds = 900\n");
  write("credentials", "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = BASE-SECRET\n");
  const auto credentials = get("build");
  ASSERT_TRUE(credentials.ok()) << credentials.error().text();
  EXPECT_EQ(credentials->access_key_id, "ASIA-deploy");
  EXPECT_EQ(credentials->secret_access_key, "ROLE-SECRET");
  EXPECT_EQ(credentials->session_token, "ROLE-TOKEN");
  EXPECT_EQ(credentials->expires, m_clock.now() + std::chrono::hours(1));

  const WireRequest request = m_server->requests().at(0);
  EXPECT_EQ(request.method + ' ' + request.target, "POST /");
  EXPECT_TRUE(request.header("content-type").starts_with("application/x-www-form-urlencoded"));
  EXPECT_NE(request.header("authorization").find(scope("AKIDBASE")), std::string::npos);
  EXPECT_EQ(form_of(request), (std::map<std::string, std::string>{{"Action", "AssumeRole"},
                                                                  {"Version", "2011-06-15"},
                                                                  {"RoleArn", "arn:aws:iam::123456789012:role/deploy"},
                                                                  {"RoleSessionName", "ci@host"},
                                                                  {"ExternalId", "a+b&c=d"},
                                                                  {"DurationSeconds", "900"}}));
}

TEST_F(StsTest, RolesAreAssumedOneWithTheOther) {
  write("config",
        "[profile a]\nrole_arn = r/a\nsource_profile = b\n[profile b]\nrole_arn = r/b\nsource_profile = c\n"
        "[profile c]\nrole_arn = r/c\nsource_profile = c\naws_access_key_id = C\naws_secret_access_key = S\n");
  EXPECT_EQ(get("a")->access_key_id, "ASIA-a");
  const auto requests = m_server->requests();
  ASSERT_EQ(requests.size(), 2U);  // the keys of c make it a source: nobody assumes its role
  EXPECT_EQ(form_of(requests[0])["RoleArn"], "r/b");
  EXPECT_NE(requests[0].header("authorization").find(scope("C")), std::string::npos);
  EXPECT_EQ(form_of(requests[1])["RoleArn"], "r/a");
  EXPECT_NE(requests[1].header("authorization").find(scope("ASIA-b")), std::string::npos);
  EXPECT_EQ(requests[1].header("x-amz-security-token"), "ROLE-TOKEN");
  EXPECT_EQ(get("c")->access_key_id, "ASIA-c");  // used directly, its role goes before its keys
}

TEST_F(StsTest, LoopsOfSourceProfilesAreRefusedAndShown) {
  write("config",
        "[profile a]\nrole_arn = r/a\nsource_profile = b\n[profile b]\nrole_arn = r/b\nsource_profile = a\n"
        "[profile self]\nrole_arn = r/s\nsource_profile = self\n");
  const auto loop = get("a");
  EXPECT_TRUE(loop.failed_with(ErrorKind::invalid));
  EXPECT_TRUE(says(loop, "'a' -> 'b' -> 'a'")) << loop.error().text();
  EXPECT_TRUE(get("self").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(m_server->requests().empty());
}

TEST_F(StsTest, ChainOfProfilesHasAnEnd) {
  std::string config;
  for (std::size_t i = 0; i <= k_max_role_chain; ++i)
    config += "[profile p" + std::to_string(i) + "]\nrole_arn = r/r\nsource_profile = p" + std::to_string(i + 1) + "\n";
  write("config", config);
  EXPECT_TRUE(get("p0").failed_with(ErrorKind::invalid));
}

TEST_F(StsTest, SourceMayBeTheEnvironmentTheContainerOrTheInstance) {
  write("config",
        "[profile env]\nrole_arn = r/e\ncredential_source = Environment\n"
        "[profile ecs]\nrole_arn = r/c\ncredential_source = EcsContainer\n"
        "[profile ec2]\nrole_arn = r/i\ncredential_source = Ec2InstanceMetadata\n");
  EXPECT_TRUE(says(get("env"), "credential_source 'Environment'"));
  EXPECT_TRUE(says(get("ecs"), "credential_source 'EcsContainer'"));
  EXPECT_TRUE(says(get("ec2"), "credential_source 'Ec2InstanceMetadata'"));
  const std::string keys = R"({"AccessKeyId":"KEY","SecretAccessKey":"S","Token":"T"})";
  LoopbackServer metadata([&](const WireRequest& request, int) {
    return answer(200, {}, request.method == "PUT" || request.target.ends_with("/") ? "token-or-role" : keys);
  });
  m_environment["AWS_ACCESS_KEY_ID"] = "ENV";
  m_environment["AWS_SECRET_ACCESS_KEY"] = "S";
  m_environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = metadata.url() + "/creds";
  m_environment.erase("AWS_EC2_METADATA_DISABLED");
  m_environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = metadata.url();
  EXPECT_EQ(get("env")->access_key_id, "ASIA-e");
  EXPECT_EQ(get("ecs")->access_key_id, "ASIA-c");
  EXPECT_EQ(get("ec2")->access_key_id, "ASIA-i");
  EXPECT_NE(m_server->requests().at(0).header("authorization").find(scope("ENV")), std::string::npos);
  EXPECT_NE(m_server->requests().at(1).header("authorization").find(scope("KEY")), std::string::npos);
}

TEST_F(StsTest, RoleThatCannotWorkNamesProfileAndEntry) {
  write("config",
        "[profile none]\nrole_arn = r\n"
        "[profile both]\nrole_arn = r\nsource_profile = none\ncredential_source = Environment\n"
        "[profile odd]\nrole_arn = r\ncredential_source = Thin air\n"
        "[profile lost]\nrole_arn = r\nsource_profile = nowhere\n"
        "[profile bare]\nregion = x\n[profile dry]\nrole_arn = r\nsource_profile = bare\n"
        "[profile mfa]\nrole_arn = r\nsource_profile = keys\nmfa_serial = arn:aws:iam::1:mfa/me\n"
        "[profile long]\nrole_arn = r\nsource_profile = keys\nduration_seconds = 43201\n"
        "[profile keys]\naws_access_key_id = A\naws_secret_access_key = S\n");
  EXPECT_TRUE(says(get("none"), "AWS profile 'none'") && says(get("none"), "source_profile"));
  EXPECT_TRUE(get("both").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(says(get("odd"), "'Thin air'"));
  EXPECT_TRUE(says(get("lost"), "'nowhere'"));
  EXPECT_TRUE(get("dry").failed_with(ErrorKind::denied) && says(get("dry"), "'bare' has no credentials"));
  EXPECT_TRUE(get("mfa").failed_with(ErrorKind::unsupported) && says(get("mfa"), "'mfa_serial'"));
  EXPECT_TRUE(says(get("long"), "duration_seconds"));
  EXPECT_TRUE(m_server->requests().empty());
}

TEST_F(StsTest, RefusalIsNamedWithoutAnySecret) {
  write("config", "[profile build]\nrole_arn = r/deploy\nsource_profile = base\n");
  write("credentials",
        "[base]\naws_access_key_id = A\naws_secret_access_key = BASE-SECRET\naws_session_token = BASE-TOKEN\n");
  serve([](const WireRequest&, int) {
    return answer(403, {},
                  std::string(k_refused) +
                      "BASE-SECRET and BASE-TOKEN may not</Message></Error><RequestId>R</RequestId></ErrorResponse>");
  });
  m_environment["AWS_ENDPOINT_URL_STS"] = m_server->url();
  const auto refused = get("build");
  ASSERT_TRUE(refused.failed_with(ErrorKind::denied));
  for (const char* part : {"AWS profile 'build'", "r/deploy", "AccessDenied", "sts:AssumeRole"})
    EXPECT_TRUE(says(refused, part)) << refused.error().text();
  EXPECT_FALSE(says(refused, "BASE-SECRET") || says(refused, "BASE-TOKEN")) << refused.error().text();
}

TEST_F(StsTest, AnswerThatHoldsNoCredentialsIsCorrupt) {
  write("config", "[profile b]\nrole_arn = r\nsource_profile = b\naws_access_key_id = A\naws_secret_access_key = S\n");
  for (const char* body : {"", "{}", "<AssumeRoleResponse/>",
                           "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId>"
                           "<SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken></Credentials>"
                           "</AssumeRoleResult></AssumeRoleResponse>"}) {
    serve([body](const WireRequest&, int) { return answer(200, {}, body); });
    m_environment["AWS_ENDPOINT_URL_STS"] = m_server->url();
    EXPECT_TRUE(get("b").failed_with(ErrorKind::corrupt)) << body;
  }
}

// The clock of this machine is a day behind.
TEST_F(StsTest, WrongClockIsCorrectedByTheDateOfTheService) {
  write("config",
        "[profile b]\nrole_arn = r/b\nsource_profile = b\naws_access_key_id = A\naws_secret_access_key = S\n");
  serve([this](const WireRequest& request, int) {
    // FakeClock begins on Friday, 15 January 2027, at 08:00:00.
    if (request.header("x-amz-date").starts_with("20270116")) return answer_of_sts(request);
    return answer(403, {{"Date", "Sat, 16 Jan 2027 08:00:00 GMT"}},
                  std::string(k_refused) + "</Message></Error></ErrorResponse>");
  });
  m_environment["AWS_ENDPOINT_URL_STS"] = m_server->url();
  EXPECT_EQ(get("b")->access_key_id, "ASIA-b");
  EXPECT_EQ(m_server->requests().size(), 2U);
}

TEST_F(StsTest, SignsForTheRegionOfTheSettingsThenOfTheEnvironmentThenOfTheProfile) {
  write("config",
        "[profile b]\nregion = sa-east-1\nrole_arn = r/b\nsource_profile = b\naws_access_key_id = A\n"
        "aws_secret_access_key = S\n");
  const auto asked_in = [&](CredentialsOptions options = {}) {
    EXPECT_TRUE(get("b", std::move(options)).ok());
    const std::string text = m_server->requests().back().header("authorization");
    return text.substr(text.find('/') + 10, text.find("/sts/") - text.find('/') - 10);
  };
  EXPECT_EQ(asked_in({.region = "cn-north-1"}), "cn-north-1");
  EXPECT_EQ(asked_in(), "eu-west-1");
  m_environment.erase("AWS_REGION");
  EXPECT_EQ(asked_in(), "sa-east-1");
  write("config",
        "[profile b]\nrole_arn = r/b\nsource_profile = b\naws_access_key_id = A\naws_secret_access_key = S\n");
  EXPECT_EQ(asked_in(), "us-east-1");
}

// Who wants an endpoint of FIPS must not get another one without a word.
TEST_F(StsTest, EndpointOfOnesOwnIsNoneOfFips) {
  write("config",
        "[profile b]\nrole_arn = r/b\nsource_profile = b\naws_access_key_id = A\naws_secret_access_key = S\n");
  EXPECT_TRUE(get("b", {.variant = AwsEndpointVariant{.fips = true}}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(m_server->requests().empty());
}

TEST_F(StsTest, WebIdentityOfTheEnvironmentReadsItsTokenForEachRenewal) {
  m_environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = path("token");
  m_environment["AWS_ROLE_ARN"] = "arn:aws:iam::123456789012:role/pod";
  write("token", "eyJ.first\n");
  CredentialsProvider provider = this->provider();
  const auto credentials = provider.get();
  ASSERT_TRUE(credentials.ok()) << credentials.error().text();
  EXPECT_EQ(credentials->access_key_id, "ASIA-pod");
  write("token", "eyJ.second\n");
  m_clock.advance(std::chrono::minutes(46));
  ASSERT_TRUE(provider.get().ok());

  const auto requests = m_server->requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(form_of(requests[0]), (std::map<std::string, std::string>{{"Action", "AssumeRoleWithWebIdentity"},
                                                                      {"Version", "2011-06-15"},
                                                                      {"RoleArn", "arn:aws:iam::123456789012:role/pod"},
                                                                      {"RoleSessionName", "repoupdate"},
                                                                      {"WebIdentityToken", "eyJ.first"}}));
  EXPECT_EQ(form_of(requests[1])["WebIdentityToken"], "eyJ.second");
  EXPECT_EQ(requests[0].header("authorization"), "");  // the token is all that is needed
}

TEST_F(StsTest, WebIdentityOfTheProfileAndItsSessionName) {
  write("config", "[profile w]\nrole_arn = r/w\nweb_identity_token_file = " + path("token") +
                      "\nrole_session_name = mine\n[profile on-top]\nrole_arn = r/top\nsource_profile = w\n");
  write("token", "TOKEN");
  EXPECT_EQ(get("w")->access_key_id, "ASIA-w");
  EXPECT_EQ(form_of(m_server->requests().at(0))["RoleSessionName"], "mine");
  EXPECT_EQ(get("on-top")->access_key_id, "ASIA-top");
  EXPECT_NE(m_server->requests().at(2).header("authorization").find(scope("ASIA-w")), std::string::npos);
}

TEST_F(StsTest, WebIdentityOfTheEnvironmentGoesBeforeKeysOfTheProfileButNotBeforeItsRole) {
  m_environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = path("token");
  m_environment["AWS_ROLE_ARN"] = "r/pod";
  write("token", "TOKEN");
  write("config", "[default]\naws_access_key_id = A\naws_secret_access_key = S\n");
  EXPECT_EQ(get()->access_key_id, "ASIA-pod");
  EXPECT_EQ(get("default")->access_key_id, "A");  // chosen by the settings
  write("config",
        "[default]\nrole_arn = r/d\nsource_profile = default\naws_access_key_id = A\naws_secret_access_key = S\n");
  EXPECT_EQ(get()->access_key_id, "ASIA-d");
}

TEST_F(StsTest, WebIdentityThatCannotWorkIsNamedWithoutItsToken) {
  m_environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = path("token");
  EXPECT_TRUE(get().failed_with(ErrorKind::invalid) && says(get(), "AWS_ROLE_ARN"));
  m_environment["AWS_ROLE_ARN"] = "r/pod";
  EXPECT_TRUE(get().failed_with(ErrorKind::denied) && says(get(), path("token")));
  // Longer than a message may be: not even a part of it may be left.
  const std::string token = "THE-TOKEN" + std::string(3000, 'x');
  write("token", token);
  serve([token](const WireRequest&, int) {
    return answer(400, {},
                  "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>" + token +
                      " is none</Message></Error></ErrorResponse>");
  });
  m_environment["AWS_ENDPOINT_URL_STS"] = m_server->url();
  EXPECT_TRUE(says(get(), "InvalidIdentityToken") && says(get(), "AWS_WEB_IDENTITY_TOKEN_FILE"));
  EXPECT_FALSE(says(get(), "THE-TOKEN"));
}

class ProcessTest : public AwsHome {
protected:
  void process(const std::string& command) { write("config", "[profile p]\ncredential_process = " + command + "\n"); }
  // A script that runs `text`, and its path.
  std::string script(const std::string& text) {
    write("helper", "#!/bin/sh\n" + text + "\n");
    std::filesystem::permissions(path("helper"), std::filesystem::perms::owner_all);
    return path("helper");
  }
};

TEST_F(ProcessTest, PrintsCredentialsThatExpire) {
  process(
      script("printf '{\"Version\": 1, \"AccessKeyId\": \"%s\", \"SecretAccessKey\": \"%s\", \"SessionToken\": \"T\", "
             "\"Expiration\": \"2100-01-01T00:00:00Z\"}' \"$1\" \"$2\"") +
      " 'the key' \"a b\"");
  const auto credentials = get("p");
  ASSERT_TRUE(credentials.ok()) << credentials.error().text();
  EXPECT_EQ(credentials->access_key_id, "the key");
  EXPECT_EQ(credentials->secret_access_key, "a b");
  EXPECT_EQ(credentials->session_token, "T");
  EXPECT_EQ(to_iso8601(credentials->expires.value()), "2100-01-01T00:00:00Z");
}

TEST_F(ProcessTest, RunsAgainBeforeTheCredentialsExpire) {
  const auto print = [this](const std::string& id, SystemTime expires) {
    return script("echo '{\"Version\":1,\"AccessKeyId\":\"" + id + "\",\"SecretAccessKey\":\"S\",\"Expiration\":\"" +
                  to_iso8601(expires) + "\"}'");
  };
  process(print("FIRST", m_clock.now() + std::chrono::hours(1)));
  CredentialsProvider provider = this->provider("p");
  EXPECT_EQ(provider.get()->access_key_id, "FIRST");
  print("SECOND", m_clock.now() + std::chrono::hours(2));
  EXPECT_EQ(provider.get()->access_key_id, "FIRST");
  m_clock.advance(std::chrono::minutes(46));
  EXPECT_EQ(provider.get()->access_key_id, "SECOND");
}

TEST_F(ProcessTest, WhatItPrintsIsInNoMessage) {
  struct Case {
    const char* text;
    ErrorKind kind;
    const char* message;
  };
  for (const Case& c : {
           Case{"echo SECRET; echo SECRET >&2; exit 3", ErrorKind::denied, "exit code 3"},
           Case{"echo SECRET; kill -9 $$", ErrorKind::denied, "signal 9"},
           Case{"echo SECRET", ErrorKind::corrupt, "Version"},
           Case{"echo '{\"Version\":2,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"SECRET\"}'", ErrorKind::corrupt,
                "Version"},
           Case{"echo '{\"Version\":1,\"SecretAccessKey\":\"SECRET\"}'", ErrorKind::corrupt, "AccessKeyId"},
           Case{"echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"SECRET\",\"Expiration\":\"soon\"}'",
                ErrorKind::corrupt, "Expiration"},
           Case{"echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"SECRET\","
                "\"Expiration\":\"2000-01-01T00:00:00Z\"}'",
                ErrorKind::denied, "expired at 2000-01-01T00:00:00Z"},
           Case{"while :; do echo SECRET; done", ErrorKind::invalid, "more than 65536 bytes"},
       }) {
    process(script(c.text) + " ARGUMENT");
    const auto credentials = get("p");
    EXPECT_TRUE(credentials.failed_with(c.kind)) << c.text << ": " << credentials.error().text();
    EXPECT_TRUE(says(credentials, c.message) && says(credentials, "AWS profile 'p'")) << credentials.error().text();
    EXPECT_FALSE(says(credentials, "SECRET") || says(credentials, "ARGUMENT")) << credentials.error().text();
  }
  process("/does/not/exist");
  EXPECT_TRUE(get("p").failed_with(ErrorKind::denied));
  process("'never closed");
  EXPECT_TRUE(get("p").failed_with(ErrorKind::invalid));
}

TEST_F(ProcessTest, IsASourceOfARoleAndComesBetweenTheFilesKeys) {
  process(script("echo '{\"Version\":1,\"AccessKeyId\":\"PROCESS\",\"SecretAccessKey\":\"S\"}'") +
          "\naws_access_key_id = CONFIG\naws_secret_access_key = S");
  EXPECT_EQ(get("p")->access_key_id, "PROCESS");
  write("credentials", "[p]\naws_access_key_id = FILE\naws_secret_access_key = S\n");
  EXPECT_EQ(get("p")->access_key_id, "FILE");
}

// The portal wants the token and tells the expiry in milliseconds. The files' names are what sha1sum says.
class SsoTest : public AwsHome {
protected:
  SsoTest() {
    serve([this](const WireRequest& request, int) {
      if (request.header("x-amz-sso_bearer_token") != "PORTAL-TOKEN")
        return answer(401, {}, R"({"__type":"UnauthorizedException","message":"Session token not found or invalid"})");
      const auto expires = (m_clock.now() + std::chrono::hours(1)).time_since_epoch().count() * 1000;
      return answer(
          200, {},
          R"({"roleCredentials":{"accessKeyId":"SSO","secretAccessKey":"S","sessionToken":"T","expiration":)" +
              std::to_string(expires) + "}}");
    });
    m_environment["AWS_ENDPOINT_URL_SSO"] = m_server->url();
    write("config",
          "[profile s]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Deploy er\n"
          "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n"
          "[profile legacy]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n"
          "sso_account_id = 123456789012\nsso_role_name = Deployer\n");
  }
  static constexpr const char* k_session_file = "sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
  static constexpr const char* k_legacy_file = "sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json";
  void token(const std::string& file, const std::string& token, const std::string& expires) {
    write(file, R"({"startUrl":"u","accessToken":")" + token + R"(","expiresAt":")" + expires + R"("})");
  }
};

TEST_F(SsoTest, TokenOfTheSessionBuysTheRolesCredentials) {
  token(k_session_file, "PORTAL-TOKEN", "2100-01-01T00:00:00Z");
  const auto credentials = get("s");
  ASSERT_TRUE(credentials.ok()) << credentials.error().text();
  EXPECT_EQ(credentials->access_key_id, "SSO");
  EXPECT_EQ(credentials->session_token, "T");
  EXPECT_EQ(credentials->expires, m_clock.now() + std::chrono::hours(1));
  const WireRequest request = m_server->requests().at(0);
  EXPECT_EQ(request.method + ' ' + request.target,
            "GET /federation/credentials?account_id=123456789012&role_name=Deploy%20er");
  EXPECT_EQ(request.header("authorization"), "");
}

TEST_F(SsoTest, TokenWithoutASessionIsKeptUnderTheStartUrl) {
  token(k_legacy_file, "PORTAL-TOKEN", "2100-01-01T00:00:00UTC");
  EXPECT_EQ(get("legacy")->access_key_id, "SSO");
}

TEST_F(SsoTest, WhoeverHasNoGoodTokenIsToldToLogIn) {
  EXPECT_TRUE(get("s").failed_with(ErrorKind::denied) && says(get("s"), "aws sso login"));
  token(k_session_file, "PORTAL-TOKEN", "2020-01-01T00:00:00Z");
  EXPECT_TRUE(says(get("s"), "aws sso login") && says(get("s"), "expired at 2020-01-01T00:00:00Z"));
  write(k_session_file, "no JSON");
  EXPECT_TRUE(says(get("s"), "aws sso login"));
  EXPECT_TRUE(m_server->requests().empty());
  token(k_session_file, "OLD-TOKEN", "2100-01-01T00:00:00Z");
  EXPECT_TRUE(get("s").failed_with(ErrorKind::denied) && says(get("s"), "aws sso login"));
  EXPECT_FALSE(says(get("s"), "OLD-TOKEN"));
}

TEST_F(SsoTest, RefusalOfThePortalNamesTheRoleButNotTheToken) {
  token(k_session_file, "PORTAL-TOKEN", "2100-01-01T00:00:00Z");
  serve([](const WireRequest&, int) {
    return answer(403, {}, R"({"__type":"ForbiddenException","message":"No access for PORTAL-TOKEN"})");
  });
  m_environment["AWS_ENDPOINT_URL_SSO"] = m_server->url();
  const auto refused = get("s");
  EXPECT_TRUE(refused.failed_with(ErrorKind::denied));
  EXPECT_TRUE(says(refused, "Deploy er") && says(refused, "123456789012") && says(refused, "ForbiddenException"));
  EXPECT_FALSE(says(refused, "PORTAL-TOKEN"));
}

TEST_F(SsoTest, AnswerWithoutCredentialsIsCorrupt) {
  token(k_session_file, "PORTAL-TOKEN", "2100-01-01T00:00:00Z");
  for (const char* body : {"", "[]", "{}", R"({"roleCredentials":7})", R"({"roleCredentials":{"accessKeyId":"A"}})",
                           R"({"roleCredentials":{"accessKeyId":"A","secretAccessKey":"S","expiration":"soon"}})"}) {
    serve([body](const WireRequest&, int) { return answer(200, {}, body); });
    m_environment["AWS_ENDPOINT_URL_SSO"] = m_server->url();
    EXPECT_TRUE(get("s").failed_with(ErrorKind::corrupt)) << body;
  }
}

TEST_F(SsoTest, MissingEntriesAreNamed) {
  write("config",
        "[profile nosession]\nsso_session = lost\nsso_account_id = 1\nsso_role_name = r\n"
        "[profile norole]\nsso_start_url = u\nsso_region = eu-west-1\nsso_account_id = 1\n"
        "[profile noregion]\nsso_start_url = u\nsso_account_id = 1\nsso_role_name = r\n");
  EXPECT_TRUE(get("nosession").failed_with(ErrorKind::invalid) && says(get("nosession"), "'lost'"));
  EXPECT_TRUE(says(get("norole"), "'sso_role_name'"));
  EXPECT_TRUE(says(get("noregion"), "'sso_region'"));
}

TEST_F(AwsHome, LoginSessionIsNotSupportedAndSaysSo) {
  write("config", "[profile l]\nlogin_session = arn\n");
  const auto credentials = get("l");
  EXPECT_TRUE(credentials.failed_with(ErrorKind::unsupported) && says(credentials, "'login_session'"));
}

}  // namespace
}  // namespace repoupdate
