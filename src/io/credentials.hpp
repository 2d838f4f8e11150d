// SPDX-License-Identifier: Apache-2.0
// The credentials in use: fetched when they are needed, kept while they are good, renewed before their end. Where they
// come from is credential_chain.hpp's.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/aws_profile.hpp"
#include "io/credential_chain.hpp"
#include "io/http_client.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

// Gives credentials that are good for a request at least. Thread-safe: one thread fetches new ones when a quarter of an
// hour is left, or half of their life if that is less. The others go on with those at hand; where these are not good
// for another minute, they wait for the new ones. When a renewal fails, those at hand are given until they expire, and
// it is tried again after a minute.
//
// `profile` is the settings' choice: it goes before the environment's keys, and when it has no credentials no
// other source stands in for it.
class CredentialsProvider {
public:
  // `http` and `clock` must outlive the provider. Nothing is read before the first get().
  CredentialsProvider(Environment environment, std::string profile, HttpClient& http, Clock& clock,
                      CredentialsOptions options = {});
  ~CredentialsProvider();

  // Errors are find_credentials()'s. They never name a secret. `stop` ends what this call waits for; who waited for the
  // same credentials fetches them itself.
  Result<Credentials> get(std::stop_token stop = {});

  // A service called `used` expired: the next get() reads the sources again. Does nothing when others are in use
  // by now.
  void expire(const Credentials& used);

private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
