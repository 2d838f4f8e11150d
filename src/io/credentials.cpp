// SPDX-License-Identifier: Apache-2.0
#include "io/credentials.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace repoupdate {
namespace {

// Temporary credentials are renewed this long before their end, as the AWS SDKs do.
constexpr std::chrono::seconds k_renew_before = std::chrono::minutes(15);
// Between two renewals, also when one failed while the old ones are still good.
constexpr std::chrono::seconds k_renew_again_after = std::chrono::minutes(1);
// With less than this left a request may arrive too late: nobody goes on with them while new ones are on their way.
constexpr std::chrono::seconds k_good_for_a_request = std::chrono::minutes(1);

SystemTime renewal_of(SystemTime expires, SystemTime now) {
  // What lives only for minutes is not fetched for every request.
  const auto half_life = std::max<std::chrono::seconds>((expires - now) / 2, k_renew_again_after);
  return std::min(std::max(expires - k_renew_before, now + half_life), expires);
}

}  // namespace

struct CredentialsProvider::State {
  State(Environment environment_in, std::string profile_in, HttpClient& http_in, Clock& clock_in,
        CredentialsOptions options_in)
      : environment(std::move(environment_in)),
        profile(std::move(profile_in)),
        http(http_in),
        clock(clock_in),
        options(std::move(options_in)) {}

  const Environment environment;
  const std::string profile;
  HttpClient& http;
  Clock& clock;
  const CredentialsOptions options;

  std::mutex mutex;
  std::condition_variable_any renewed;
  bool is_renewing = false;      // one thread is about it, without the lock
  int renewals = 0;              // that have ended
  std::optional<Error> failure;  // of the last one
  std::optional<Credentials> current;
  SystemTime renew_at{};  // only where the current ones expire

  bool is_good_for(std::chrono::seconds time) const {
    return current && (!current->expires || clock.now() + time < *current->expires);
  }
  Result<Credentials> renew(std::unique_lock<std::mutex>& lock, std::stop_token stop);
};

Result<Credentials> CredentialsProvider::State::renew(std::unique_lock<std::mutex>& lock, std::stop_token stop) {
  is_renewing = true;
  lock.unlock();
  auto found = find_credentials({environment, http, clock, profile, options, std::move(stop)});
  lock.lock();
  is_renewing = false;
  ++renewals;
  failure.reset();
  const SystemTime now = clock.now();
  if (found) {
    current = *found;
    if (found->expires) renew_at = renewal_of(*found->expires, now);
  } else if (!found.failed_with(ErrorKind::cancelled)) {
    failure = found.error();
    renew_at = now + k_renew_again_after;
  }
  renewed.notify_all();
  if (!found && is_good_for(std::chrono::seconds(0))) return *current;
  return found;
}

CredentialsProvider::CredentialsProvider(Environment environment, std::string profile, HttpClient& http, Clock& clock,
                                         CredentialsOptions options)
    : m_state(std::make_unique<State>(std::move(environment), std::move(profile), http, clock, std::move(options))) {}

CredentialsProvider::~CredentialsProvider() = default;

Result<Credentials> CredentialsProvider::get(std::stop_token stop) {
  State& state = *m_state;
  std::unique_lock lock(state.mutex);
  for (;;) {
    const bool is_due = !state.current || (state.current->expires && state.clock.now() >= state.renew_at);
    if (!is_due && state.is_good_for(std::chrono::seconds(0))) return *state.current;
    if (!state.is_renewing) return state.renew(lock, std::move(stop));
    if (state.is_good_for(k_good_for_a_request)) return *state.current;
    if (!state.renewed.wait(lock, stop, [&state, before = state.renewals] { return state.renewals != before; }))
      return Error{ErrorKind::cancelled, "AWS credentials: not waited for", {}};
    if (state.failure && !state.is_good_for(std::chrono::seconds(0))) return *state.failure;
  }
}

void CredentialsProvider::expire(const Credentials& used) {
  const std::scoped_lock lock(m_state->mutex);
  if (m_state->current && m_state->current->access_key_id == used.access_key_id &&
      m_state->current->session_token == used.session_token)
    m_state->current.reset();
}

}  // namespace repoupdate
