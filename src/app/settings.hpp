// SPDX-License-Identifier: Apache-2.0
// Everything that can be configured, declared once: a table row (key, type, default, range, text) feeds the
// TOML reader, the environment, the flags, --help and `repoupdate config show`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace repoupdate {

struct AwsSettings {
  std::string region;
  std::string profile;
  std::string endpoint;
  std::string s3_endpoint;
  std::string sqs_endpoint;
  std::string addressing = "auto";
  std::string dual_stack = "auto";
  std::string fips = "auto";
  std::string ca_bundle;
  std::string package_storage_class;
  std::string package_acl;
  std::string sse;
  std::string sse_kms_key_id;
  std::string expected_bucket_owner;
  bool requester_pays = false;
  std::string object_tags;
};

struct LogSettings {
  std::string level = "info";
  std::string format = "text";
  std::string file;
};

struct DaemonSettings {
  std::uint64_t workers = 8;
  Duration visibility{std::chrono::seconds(120)};
  std::uint64_t receivers = 8;
  std::uint64_t open_messages = 20'000;
  std::uint64_t park_after = 5;
  Duration retry_ceiling{std::chrono::seconds(60)};
  std::uint64_t quarantine_after = 10;
};

// What is kept on a local disk: parts of an update, and what is known between updates.
struct CacheSettings {
  std::string directory;
  std::uint64_t disk_mib = 4096;
  std::uint64_t memory_mib = 64;
};

// A [[repository]], and [defaults] for what a repository does not say itself.
struct RepositorySettings {
  std::string url;
  bool create = false;
  std::string compression = "keep";
  std::uint64_t changelog_limit = 10;
  std::string same_nevra = "keep";
  Duration quiet{std::chrono::seconds(2)};
  Duration max_age{std::chrono::seconds(30)};
  std::uint64_t max_count = 1000;
  Duration poll{0};
  std::uint64_t requests = 64;
  std::string open_checksum = "write";
  std::uint64_t threads = 0;
  Duration lease{std::chrono::seconds(30)};
  std::string quarantine = "store";
  std::string sign_key;
  std::string sign_key_file;
  std::string sign_passphrase_file;
  std::string sign_gnupghome;
  std::string sign_command;
  std::string sign_public_key;
  Duration sign_timeout{std::chrono::seconds(30)};
  std::uint64_t shrink_limit = 50;
  std::uint64_t shrink_spare = 20;
  Duration sweep{std::chrono::hours(1)};
  Duration sweep_grace{std::chrono::hours(24)};
  std::uint64_t sweep_generations = 3;
};

struct QueueSettings {
  std::string name;
  std::string region;
};

// Where stores without SQS push their events to; nothing listens while `listen` is empty.
struct WebhookSettings {
  std::string listen;
  std::string file;
  std::string secret;
  std::string secret_file;
  std::string user;
  std::string tls_certificate;
  std::string tls_key;
  std::uint64_t max_messages = 100'000;
  std::uint64_t disk_mib = 512;
  std::uint64_t max_receives = 10;
};

struct Settings {
  AwsSettings aws;
  LogSettings log;
  DaemonSettings daemon;
  WebhookSettings webhook;
  CacheSettings cache;
  RepositorySettings defaults;
  std::vector<RepositorySettings> repositories;
  std::vector<QueueSettings> queues;
};

// Where a setting is offered on the command line.
enum class Flag { everywhere, daemon, nowhere };

// One row. `S` is the section's struct.
template <typename S>
struct Setting {
  std::string_view key;  // in TOML, where '-' may stand for '_'; as a flag with '-' for '_'
  std::variant<std::string S::*, bool S::*, std::uint64_t S::*, Duration S::*> field;
  std::string_view text;     // for people; first word lower case, no full stop
  std::string_view choices;  // "a|b|c", or "" for any text
  std::uint64_t least = 0;   // numbers; durations in milliseconds
  std::uint64_t most = UINT64_MAX;
  Flag flag = Flag::everywhere;
  bool secret = false;  // never shown
};

// The rows of a section, in the order in which they are shown.
template <typename S>
std::span<const Setting<S>> settings_of();
template <>
std::span<const Setting<AwsSettings>> settings_of();
template <>
std::span<const Setting<LogSettings>> settings_of();
template <>
std::span<const Setting<DaemonSettings>> settings_of();
template <>
std::span<const Setting<WebhookSettings>> settings_of();
template <>
std::span<const Setting<CacheSettings>> settings_of();
template <>
std::span<const Setting<RepositorySettings>> settings_of();
template <>
std::span<const Setting<QueueSettings>> settings_of();

// Sets one value from text, after checking it against the row. The message names the key, the value and what
// would be right.
template <typename S>
Result<void> assign(S& section, const Setting<S>& setting, std::string_view text);

// The value as it would be written in TOML; of a secret only whether there is one.
template <typename S>
std::string show(const S& section, const Setting<S>& setting);

// "250ms", "2s", "5m", "1h", "1d", or "0". At most 365 days.
std::optional<Duration> parse_duration(std::string_view text);
std::string to_string(Duration duration);

}  // namespace repoupdate
