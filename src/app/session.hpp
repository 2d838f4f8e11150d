// SPDX-License-Identifier: Apache-2.0
// What every command works with: settings, log, clock, the stores, and the wish to stop.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "app/exit_code.hpp"
#include "app/settings.hpp"
#include "app/signers.hpp"
#include "app/stores.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "sync/coalescer.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

struct Session {
  Settings settings;
  std::function<Result<Settings>()> reload;  // the same sources read again
  Clock& clock;
  Log& log;
  MetricTable& metrics;
  std::unique_ptr<Stores> stores;           // made of settings.aws; never null
  std::unique_ptr<Signers> signers;         // never null
  std::unique_ptr<Scratch> scratch;         // made of settings.cache; never null
  std::stop_token stop;                     // SIGINT, SIGTERM
  std::stop_token impatience;               // the second of these: ends requests that are under way
  std::function<std::stop_token()> hangup;  // a fresh token that SIGHUP requests
  std::function<void()> on_ready;           // called each time that the daemon begins to serve
};

// The [[repository]] of that url, or one made of [defaults].
RepositorySettings settings_for(const Settings& settings, const std::string& url);

// Adds it to the repositories to serve, unless it is one of them.
void serve_too(Settings& settings, const std::string& url);

LogOptions log_options(const LogSettings& settings);
CoalescingPolicy coalescing_policy(const RepositorySettings& settings);

// Makes session.stores, signers and scratch anew, after session.settings changed. Nothing of the old ones may be in
// use.
void renew_stores(Session& session);

// What is done about a directory that is not there: not_found, make it, or leave it to the first request.
enum class Directory { must_exist, make, may_come };

// `make` when the settings say create, else `must_exist`.
Directory when_missing(const Session& session, const std::string& url);

// What only reads, or leaves publishing to others, needs no key. One that has expired still checks; and a daemon goes on
// with it, for all but the publications that it was to sign.
enum class Signing { as_set, even_expired, none };

// Opens the store and applies the settings. Nothing is remembered from one update to the next.
Result<Repository> open_repository(Session& session, const std::string& url, Directory directory,
                                   Signing signing = Signing::as_set);

// Prints the failure on standard error, as "repoupdate: ...", and gives its exit code.
ExitCode fail(const Error& error);

}  // namespace repoupdate
