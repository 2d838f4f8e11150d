// SPDX-License-Identifier: Apache-2.0
// For tests: a user's home with AWS files, an environment that is a map, and what is found there.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/credentials.hpp"
#include "testkit/fake_clock.hpp"
#include "testkit/loopback_server.hpp"
#include "testkit/scratch_directory.hpp"

namespace repoupdate {

// Nobody asks for the metadata of this machine unless a test says where they are.
class AwsHome : public ::testing::Test {
protected:
  AwsHome() {
    std::filesystem::create_directories(m_home / ".aws");
    m_environment = {{"HOME", m_home}, {"AWS_EC2_METADATA_DISABLED", "true"}};
  }

  // Below ~/.aws.
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((m_home / ".aws" / name).parent_path());
    std::ofstream(m_home / ".aws" / name) << text;
  }
  std::string path(const std::string& name) const { return m_home / ".aws" / name; }

  Environment environment() {
    return [this](const std::string& name) {
      const auto found = m_environment.find(name);
      return found == m_environment.end() ? std::string() : found->second;
    };
  }
  CredentialsProvider provider(const std::string& profile = {}, CredentialsOptions options = {}) {
    return {environment(), profile, m_http, m_clock, std::move(options)};
  }
  Result<Credentials> get(const std::string& profile = {}, CredentialsOptions options = {}) {
    return provider(profile, std::move(options)).get();
  }

  // What STS says when somebody may have the role: keys whose id is `id`.
  static WireAnswer sts_answer(const std::string& action, const std::string& id, SystemTime expires) {
    return answer(200, {{"Content-Type", "text/xml"}},
                  "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" + action +
                      "Result><AssumedRoleUser><Arn>a</Arn></AssumedRoleUser><Credentials><AccessKeyId>" + id +
                      "</AccessKeyId><SecretAccessKey>ROLE-SECRET</SecretAccessKey><SessionToken>ROLE-TOKEN" +
                      "</SessionToken><Expiration>" + to_iso8601(expires) + "</Expiration></Credentials></" + action +
                      "Result></" + action + "Response>");
  }

  void serve(LoopbackServer::Responder responder) { m_server = std::make_unique<LoopbackServer>(std::move(responder)); }

  ScratchDirectory m_directory;
  const std::filesystem::path m_home = m_directory.path();
  std::map<std::string, std::string> m_environment;
  FakeClock m_clock;
  HttpClient m_http{HttpClientOptions{}};
  std::unique_ptr<LoopbackServer> m_server;
};

}  // namespace repoupdate
