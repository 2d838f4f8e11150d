// SPDX-License-Identifier: Apache-2.0
// Where AWS credentials come from, in the order of the AWS SDKs: environment, the profile in the shared files,
// the container endpoint, the instance metadata service.
// Source: "Standardized credential providers", AWS SDKs and Tools Reference Guide.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/aws_profile.hpp"
#include "io/http_client.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

// Gives credentials that are good for some minutes at least. Thread-safe: whoever finds them near their end
// fetches new ones, the others wait for these. When that fails, those at hand are given until they expire.
//
// `profile` is the settings' choice: it goes before the environment's keys, and when it has no credentials no
// other source stands in for it. ErrorKind::unsupported, naming the entry, for a profile that assumes a role or
// uses single sign-on, a process or a web identity.
class CredentialsProvider {
public:
  // `http` and `clock` must outlive the provider. Nothing is read before the first get().
  CredentialsProvider(Environment environment, std::string profile, HttpClient& http, Clock& clock);
  ~CredentialsProvider();

  // ErrorKind::denied, naming every source that was looked at, when there are none. Never names a secret.
  Result<Credentials> get();

  // A service called `used` expired: the next get() reads the sources again. Does nothing when others are in use
  // by now.
  void expire(const Credentials& used);

private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
