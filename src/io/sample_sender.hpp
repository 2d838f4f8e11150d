// SPDX-License-Identifier: Apache-2.0
// For tests: a sender with keys from a map that plays the environment, and a clock that moves as a test says.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "io/aws_sender.hpp"
#include "testkit/fake_clock.hpp"

namespace repoupdate {

class SampleSender : public ::testing::Test {
protected:
  std::map<std::string, std::string> m_environment{{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "S3CRET"}};
  HttpClient m_http{HttpClientOptions{}};
  FakeClock m_clock;
  CredentialsProvider m_credentials{[this](const std::string& name) {
                                      const auto found = m_environment.find(name);
                                      return found == m_environment.end() ? std::string() : found->second;
                                    },
                                    "", m_http, m_clock};
  AwsSender m_sender{m_http, m_credentials, m_clock};
};

}  // namespace repoupdate
