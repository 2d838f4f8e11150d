// SPDX-License-Identifier: Apache-2.0
#include "app/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "io/http_client.hpp"

namespace repoupdate {
namespace {

constexpr std::uint64_t k_second = 1000, k_minute = 60 * k_second, k_hour = 60 * k_minute, k_day = 24 * k_hour;

constexpr std::array k_aws{
    Setting<AwsSettings>{"region", &AwsSettings::region,
                         "AWS region of buckets and queues; else AWS_REGION or the profile's", ""},
    Setting<AwsSettings>{"profile", &AwsSettings::profile, "profile in the shared AWS config files", ""},
    Setting<AwsSettings>{"endpoint", &AwsSettings::endpoint, "URL of another store than AWS, for S3 and SQS", ""},
    Setting<AwsSettings>{"s3_endpoint", &AwsSettings::s3_endpoint, "the same for S3 alone", ""},
    Setting<AwsSettings>{"sqs_endpoint", &AwsSettings::sqs_endpoint, "the same for SQS alone", ""},
    Setting<AwsSettings>{"addressing", &AwsSettings::addressing,
                         "where the bucket stands: in the path, in the host name, or path with an endpoint of your own",
                         "auto|path|virtual"},
    Setting<AwsSettings>{"dual_stack", &AwsSettings::dual_stack,
                         "AWS's endpoints for IPv6 and IPv4; auto: as AWS_USE_DUALSTACK_ENDPOINT or the profile says",
                         "auto|on|off"},
    Setting<AwsSettings>{"fips", &AwsSettings::fips,
                         "AWS's endpoints of FIPS 140; auto: as AWS_USE_FIPS_ENDPOINT or the profile says",
                         "auto|on|off"},
    Setting<AwsSettings>{"ca_bundle", &AwsSettings::ca_bundle, "PEM file of certificate authorities to trust", ""},
    Setting<AwsSettings>{"package_storage_class", &AwsSettings::package_storage_class,
                         "storage class for uploaded packages, never for metadata", "", 0, UINT64_MAX, Flag::nowhere},
    Setting<AwsSettings>{"package_acl", &AwsSettings::package_acl, "canned ACL for what is uploaded; none by default",
                         "", 0, UINT64_MAX, Flag::nowhere},
    Setting<AwsSettings>{"sse", &AwsSettings::sse, "server-side encryption of what is put",
                         "|AES256|aws:kms|aws:kms:dsse", 0, UINT64_MAX, Flag::nowhere},
    Setting<AwsSettings>{"sse_kms_key_id", &AwsSettings::sse_kms_key_id, "KMS key for sse = \"aws:kms\"", "", 0,
                         UINT64_MAX, Flag::nowhere},
    Setting<AwsSettings>{"expected_bucket_owner", &AwsSettings::expected_bucket_owner,
                         "account id that must own the bucket", "", 0, UINT64_MAX, Flag::nowhere},
    Setting<AwsSettings>{"requester_pays", &AwsSettings::requester_pays,
                         "pay for requests to buckets of others that ask for it", "", 0, UINT64_MAX, Flag::nowhere},
    Setting<AwsSettings>{"object_tags", &AwsSettings::object_tags, "tags of what is put: KEY=VALUE,KEY=VALUE", "", 0,
                         UINT64_MAX, Flag::nowhere},
};

constexpr std::array k_log{
    Setting<LogSettings>{"level", &LogSettings::level, "least important lines that are written",
                         "debug|info|warning|error"},
    Setting<LogSettings>{"format", &LogSettings::format, "lines for people, or one JSON object a line", "text|json"},
    Setting<LogSettings>{"file", &LogSettings::file, "write there instead of standard error; reopened on SIGHUP", ""},
};

constexpr std::array k_daemon{
    Setting<DaemonSettings>{"workers", &DaemonSettings::workers, "repositories worked on at the same time", "", 1, 64},
    Setting<DaemonSettings>{"visibility", &DaemonSettings::visibility,
                            "how long a message stays hidden while it is worked on; extended in time", "",
                            10 * k_second, 12 * k_hour},
    Setting<DaemonSettings>{"receivers", &DaemonSettings::receivers,
                            "receive at the same time from a queue with a backlog", "", 1, 64},
    Setting<DaemonSettings>{"open_messages", &DaemonSettings::open_messages,
                            "received and not acknowledged yet, of all queues together; the rest stays there", "", 100,
                            100'000},
    Setting<DaemonSettings>{"park_after", &DaemonSettings::park_after,
                            "deliveries after which a useless message is given up, in queues without redrive policy",
                            "", 1, 1000},
    Setting<DaemonSettings>{"retry_ceiling", &DaemonSettings::retry_ceiling,
                            "longest wait before a failed update is tried again", "", k_second, k_hour},
    Setting<DaemonSettings>{"quarantine_after", &DaemonSettings::quarantine_after,
                            "tries in a row after which a failure that may pass is written into the quarantine, too",
                            "", 1, 1000},
    Setting<DaemonSettings>{"stuck_after", &DaemonSettings::stuck_after,
                            "of a thread that gets no further: then /healthz says so, and the watchdog is not fed", "",
                            k_second, k_day},
};

constexpr std::array k_webhook{
    Setting<WebhookSettings>{"listen", &WebhookSettings::listen,
                             "HOST:PORT on which stores push events; nothing listens when it is empty", "", 0,
                             UINT64_MAX, Flag::nowhere},
    Setting<WebhookSettings>{"file", &WebhookSettings::file,
                             "queue of the events; else webhook.sqlite in STATE_DIRECTORY, else in /var/lib/repoupdate",
                             "", 0, UINT64_MAX, Flag::nowhere},
    Setting<WebhookSettings>{"secret", &WebhookSettings::secret, "what a store has to show: bearer token or password",
                             "", 0, UINT64_MAX, Flag::nowhere, true},
    Setting<WebhookSettings>{"secret_file", &WebhookSettings::secret_file, "the same, read from a file", "", 0,
                             UINT64_MAX, Flag::nowhere},
    Setting<WebhookSettings>{"user", &WebhookSettings::user,
                             "whose password the secret is, for stores that send user and password", "", 0, UINT64_MAX,
                             Flag::nowhere},
    Setting<WebhookSettings>{"tls_certificate", &WebhookSettings::tls_certificate,
                             "PEM file of our certificate chain; without it plain HTTP", "", 0, UINT64_MAX,
                             Flag::nowhere},
    Setting<WebhookSettings>{"tls_key", &WebhookSettings::tls_key, "PEM file of its key", "", 0, UINT64_MAX,
                             Flag::nowhere},
    Setting<WebhookSettings>{"max_messages", &WebhookSettings::max_messages,
                             "events that may wait; above that stores are told to come again", "", 100, 10'000'000,
                             Flag::nowhere},
    Setting<WebhookSettings>{"disk_mib", &WebhookSettings::disk_mib, "that they may take in the file, in MiB", "", 1,
                             1 << 20, Flag::nowhere},
    Setting<WebhookSettings>{"max_receives", &WebhookSettings::max_receives,
                             "times that an event is tried before it is parked", "", 1, 1000, Flag::nowhere},
};

constexpr std::array k_metrics{
    Setting<MetricsSettings>{"listen", &MetricsSettings::listen,
                             "HOST:PORT of /metrics, /healthz and /readyz; nothing listens when it is empty", "", 0,
                             UINT64_MAX, Flag::nowhere},
};

constexpr std::array k_cache{
    Setting<CacheSettings>{"directory", &CacheSettings::directory,
                           "for nameless files on a local disk; else TMPDIR, else /var/tmp", "", 0, UINT64_MAX,
                           Flag::nowhere},
    Setting<CacheSettings>{"disk_mib", &CacheSettings::disk_mib,
                           "metadata files that are kept there between updates, in MiB", "", 0, 1 << 20, Flag::nowhere},
    Setting<CacheSettings>{"memory_mib", &CacheSettings::memory_mib, "what is known of them in memory, in MiB", "", 0,
                           1 << 16, Flag::nowhere},
};

constexpr std::array k_repository{
    Setting<RepositorySettings>{"url", &RepositorySettings::url, "s3://bucket/prefix or a directory", "", 0, UINT64_MAX,
                                Flag::nowhere},
    Setting<RepositorySettings>{"create", &RepositorySettings::create, "make the repository when there is none", ""},
    Setting<RepositorySettings>{"compression", &RepositorySettings::compression,
                                "of the metadata; keep: as they are, gz for a new repository", "keep|gz|zstd"},
    Setting<RepositorySettings>{"changelog_limit", &RepositorySettings::changelog_limit,
                                "newest changelog entries that are listed", "", 0, 1'000'000},
    Setting<RepositorySettings>{
        "same_nevra", &RepositorySettings::same_nevra,
        "a package whose NEVRA is listed under another key: list both, the newer one, or refuse it",
        "keep|replace|reject"},
    Setting<RepositorySettings>{"quiet", &RepositorySettings::quiet, "publish when nothing new has come for this long",
                                "", 0, k_hour, Flag::daemon},
    Setting<RepositorySettings>{"max_age", &RepositorySettings::max_age,
                                "or when the oldest change has waited this long", "", 0, k_day, Flag::daemon},
    Setting<RepositorySettings>{"max_count", &RepositorySettings::max_count, "or when this many packages wait", "", 1,
                                1'000'000, Flag::daemon},
    Setting<RepositorySettings>{"poll", &RepositorySettings::poll,
                                "compare listing and metadata this often; 0: only at the start", "", 0, 365 * k_day,
                                Flag::daemon},
    Setting<RepositorySettings>{"requests", &RepositorySettings::requests, "to the store at the same time", "", 1,
                                k_max_in_flight},
    Setting<RepositorySettings>{
        "open_checksum", &RepositorySettings::open_checksum,
        "state open-checksum in repomd.xml, which no client reads; omit saves most of the time of an update",
        "write|omit"},
    Setting<RepositorySettings>{"threads", &RepositorySettings::threads,
                                "that compress and hash metadata; 0: as many as there are processors", "", 0, 64},
    Setting<RepositorySettings>{"lease", &RepositorySettings::lease,
                                "of who publishes to a store without conditional writes: others wait this long for one "
                                "who died",
                                "", 10 * k_second, 10 * k_minute},
    Setting<RepositorySettings>{"quarantine", &RepositorySettings::quarantine,
                                "where it is written down which packages cannot be listed: store (below repodata/), a "
                                "directory of this machine, or off",
                                "", 0, UINT64_MAX, Flag::nowhere},
    Setting<RepositorySettings>{"sign_key", &RepositorySettings::sign_key,
                                "fingerprint of the key that signs repomd.xml; two with a comma while keys change", ""},
    Setting<RepositorySettings>{"sign_key_file", &RepositorySettings::sign_key_file,
                                "secret key file, used instead of GnuPG's keyring", ""},
    Setting<RepositorySettings>{"sign_passphrase_file", &RepositorySettings::sign_passphrase_file,
                                "file with the passphrase of the key; else gpg-agent is asked", ""},
    Setting<RepositorySettings>{"sign_gnupghome", &RepositorySettings::sign_gnupghome,
                                "GNUPGHOME with the key; else GnuPG's own choice", "", 0, UINT64_MAX, Flag::nowhere},
    Setting<RepositorySettings>{
        "sign_command", &RepositorySettings::sign_command,
        "program that reads repomd.xml and writes an armored detached signature, instead of GnuPG", ""},
    Setting<RepositorySettings>{"sign_public_key", &RepositorySettings::sign_public_key,
                                "file with the armored public keys to publish and to check with; needed with "
                                "sign_command, else those that sign",
                                ""},
    Setting<RepositorySettings>{"sign_timeout", &RepositorySettings::sign_timeout, "how long signing may take", "",
                                k_second, 10 * k_minute, Flag::nowhere},
    Setting<RepositorySettings>{"signed_by", &RepositorySettings::signed_by,
                                "files of public keys: packages that none of them has signed are refused", "", 0,
                                UINT64_MAX, Flag::nowhere},
    Setting<RepositorySettings>{"file_names", &RepositorySettings::file_names,
                                "nvra: packages that are not called name-version-release.arch.rpm are refused",
                                "any|nvra", 0, UINT64_MAX, Flag::nowhere},
    Setting<RepositorySettings>{"arches", &RepositorySettings::arches,
                                "architectures that are taken, noarch and src among them; none: all", "", 0, UINT64_MAX,
                                Flag::nowhere},
    Setting<RepositorySettings>{"vendors", &RepositorySettings::vendors,
                                "globs of the vendors that are taken; none: all", "", 0, UINT64_MAX, Flag::nowhere},
    Setting<RepositorySettings>{"allow_names", &RepositorySettings::allow_names,
                                "globs of the package names that are taken; none: all", "", 0, UINT64_MAX,
                                Flag::nowhere},
    Setting<RepositorySettings>{"deny_names", &RepositorySettings::deny_names,
                                "globs of the package names that are refused", "", 0, UINT64_MAX, Flag::nowhere},
    Setting<RepositorySettings>{"max_package_mib", &RepositorySettings::max_package_mib,
                                "size above which a package is refused, in MiB; 0: none", "", 0, 1 << 30,
                                Flag::nowhere},
    Setting<RepositorySettings>{"immutable", &RepositorySettings::immutable,
                                "refuse other bytes for a key or a NEVRA that is listed", "", 0, UINT64_MAX,
                                Flag::nowhere},
    Setting<RepositorySettings>{"shrink_limit", &RepositorySettings::shrink_limit,
                                "percent of the packages that may go at once; more is held back until "
                                "`update --allow-shrink`; 100: no limit",
                                "", 0, 100},
    Setting<RepositorySettings>{"shrink_spare", &RepositorySettings::shrink_spare,
                                "packages that may always go, whatever their share is", "", 0, 1'000'000},
    Setting<RepositorySettings>{"sweep", &RepositorySettings::sweep,
                                "remove superseded metadata this often; 0: never, but for the command", "", 0,
                                365 * k_day, Flag::daemon},
    Setting<RepositorySettings>{"sweep_grace", &RepositorySettings::sweep_grace, "how long superseded metadata stay",
                                "", k_hour, 365 * k_day},
    Setting<RepositorySettings>{"sweep_generations", &RepositorySettings::sweep_generations,
                                "superseded generations of metadata that stay however old they are", "", 0, 10'000},
};

constexpr std::array k_queue{
    Setting<QueueSettings>{"name", &QueueSettings::name, "name, URL or ARN of an SQS queue", "", 0, UINT64_MAX,
                           Flag::nowhere},
    Setting<QueueSettings>{"region", &QueueSettings::region, "where it is, when not where [aws] says", "", 0,
                           UINT64_MAX, Flag::nowhere},
};

struct Unit {
  std::string_view suffix;
  std::uint64_t milliseconds;
};
constexpr std::array<Unit, 5> k_units{{{"ms", 1}, {"s", k_second}, {"m", k_minute}, {"h", k_hour}, {"d", k_day}}};

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_choice(std::string_view choices, std::string_view text) {
  while (true) {
    const auto end = choices.find('|');
    if (choices.substr(0, end) == text) return true;
    if (end == std::string_view::npos) return false;
    choices.remove_prefix(end + 1);
  }
}

Error bad_value(std::string_view key, std::string_view text, const std::string& expected) {
  return {ErrorKind::invalid, std::string(key) + " = \"" + std::string(text) + "\": expected " + expected, {}};
}

std::string choices_text(std::string_view choices) {
  std::string text = choices.starts_with('|') ? "one of \"\"" : "one of ";
  for (const char c : choices) c == '|' ? void(text += ", ") : void(text += c);
  return text;
}

Result<void> convert(std::string_view key, std::string_view choices, std::string_view text, std::string& value,
                     std::uint64_t, std::uint64_t) {
  if (!choices.empty() && !is_choice(choices, text)) return bad_value(key, text, choices_text(choices));
  value = text;
  return {};
}

Result<void> convert(std::string_view key, std::string_view, std::string_view text, bool& value, std::uint64_t,
                     std::uint64_t) {
  if (text != "true" && text != "false") return bad_value(key, text, "true or false");
  value = text == "true";
  return {};
}

Result<void> convert(std::string_view key, std::string_view, std::string_view text, std::uint64_t& value,
                     std::uint64_t least, std::uint64_t most) {
  const auto number = parse_number(text);
  if (!number || *number < least || *number > most)
    return bad_value(key, text, "a number from " + std::to_string(least) + " to " + std::to_string(most));
  value = *number;
  return {};
}

Result<void> convert(std::string_view key, std::string_view, std::string_view text, Duration& value,
                     std::uint64_t least, std::uint64_t most) {
  const auto duration = parse_duration(text);
  const Duration low(static_cast<std::int64_t>(least)), high(static_cast<std::int64_t>(most));
  if (!duration || *duration < low || *duration > high)
    return bad_value(key, text,
                     "a duration from " + to_string(low) + " to " + to_string(high) + ", like 250ms, 2s, 5m, 1h");
  value = *duration;
  return {};
}

// The elements of a list: nothing may be hidden in one, and none may be empty.
Result<void> convert(std::string_view key, std::string_view, std::string_view text, std::vector<std::string>& value,
                     std::uint64_t, std::uint64_t) {
  std::vector<std::string> elements;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    std::string_view element = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (element.starts_with(' ')) element.remove_prefix(1);
    while (element.ends_with(' ')) element.remove_suffix(1);
    if (element.empty()) return bad_value(key, text, "elements with commas between them");
    elements.emplace_back(element);
  }
  value = std::move(elements);
  return {};
}

std::string toml_text(const std::string& value) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : value) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7F) {
      text.append("\\u00").append({k_digits[code >> 4], k_digits[code & 0xF]});
      continue;
    }
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}
std::string toml_text(bool value) {
  return value ? "true" : "false";
}
std::string toml_text(std::uint64_t value) {
  return std::to_string(value);
}
std::string toml_text(const std::vector<std::string>& value) {
  std::string text = "[";
  for (const auto& element : value) text += (text.size() > 1 ? ", " : "") + toml_text(element);
  return text + ']';
}
std::string toml_text(Duration value) {
  return '"' + to_string(value) + '"';
}

}  // namespace

template <>
std::span<const Setting<AwsSettings>> settings_of() {
  return k_aws;
}
template <>
std::span<const Setting<LogSettings>> settings_of() {
  return k_log;
}
template <>
std::span<const Setting<DaemonSettings>> settings_of() {
  return k_daemon;
}
template <>
std::span<const Setting<WebhookSettings>> settings_of() {
  return k_webhook;
}
template <>
std::span<const Setting<MetricsSettings>> settings_of() {
  return k_metrics;
}
template <>
std::span<const Setting<CacheSettings>> settings_of() {
  return k_cache;
}
template <>
std::span<const Setting<RepositorySettings>> settings_of() {
  return k_repository;
}
template <>
std::span<const Setting<QueueSettings>> settings_of() {
  return k_queue;
}

template <typename S>
Result<void> assign(S& section, const Setting<S>& setting, std::string_view text) {
  return std::visit(
      [&](auto field) {
        return convert(setting.key, setting.choices, text, section.*field, setting.least, setting.most);
      },
      setting.field);
}

template <typename S>
Result<void> assign(S& section, const Setting<S>& setting, std::vector<std::string> elements) {
  const auto* field = std::get_if<std::vector<std::string> S::*>(&setting.field);
  if (!field || std::ranges::find(elements, std::string()) != elements.end())
    return Error{ErrorKind::invalid, std::string(setting.key) + ": expected texts that are not empty", {}};
  section.*(*field) = std::move(elements);
  return {};
}

template <typename S>
std::string show(const S& section, const Setting<S>& setting) {
  return std::visit(
      [&](auto field) {
        std::string text = toml_text(section.*field);
        return setting.secret && text != "\"\"" ? std::string("\"(hidden)\"") : text;
      },
      setting.field);
}

template Result<void> assign(AwsSettings&, const Setting<AwsSettings>&, std::string_view);
template Result<void> assign(LogSettings&, const Setting<LogSettings>&, std::string_view);
template Result<void> assign(DaemonSettings&, const Setting<DaemonSettings>&, std::string_view);
template Result<void> assign(WebhookSettings&, const Setting<WebhookSettings>&, std::string_view);
template Result<void> assign(MetricsSettings&, const Setting<MetricsSettings>&, std::string_view);
template Result<void> assign(CacheSettings&, const Setting<CacheSettings>&, std::string_view);
template Result<void> assign(RepositorySettings&, const Setting<RepositorySettings>&, std::string_view);
template Result<void> assign(QueueSettings&, const Setting<QueueSettings>&, std::string_view);
template Result<void> assign(AwsSettings&, const Setting<AwsSettings>&, std::vector<std::string>);
template Result<void> assign(LogSettings&, const Setting<LogSettings>&, std::vector<std::string>);
template Result<void> assign(DaemonSettings&, const Setting<DaemonSettings>&, std::vector<std::string>);
template Result<void> assign(WebhookSettings&, const Setting<WebhookSettings>&, std::vector<std::string>);
template Result<void> assign(MetricsSettings&, const Setting<MetricsSettings>&, std::vector<std::string>);
template Result<void> assign(CacheSettings&, const Setting<CacheSettings>&, std::vector<std::string>);
template Result<void> assign(RepositorySettings&, const Setting<RepositorySettings>&, std::vector<std::string>);
template Result<void> assign(QueueSettings&, const Setting<QueueSettings>&, std::vector<std::string>);
template std::string show(const AwsSettings&, const Setting<AwsSettings>&);
template std::string show(const LogSettings&, const Setting<LogSettings>&);
template std::string show(const DaemonSettings&, const Setting<DaemonSettings>&);
template std::string show(const WebhookSettings&, const Setting<WebhookSettings>&);
template std::string show(const MetricsSettings&, const Setting<MetricsSettings>&);
template std::string show(const CacheSettings&, const Setting<CacheSettings>&);
template std::string show(const RepositorySettings&, const Setting<RepositorySettings>&);
template std::string show(const QueueSettings&, const Setting<QueueSettings>&);

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration(0);
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos || digits == 0) return std::nullopt;
  const auto number = parse_number(text.substr(0, digits));
  for (const auto& unit : k_units) {
    if (unit.suffix != text.substr(digits)) continue;
    if (!number || *number > 365 * k_day / unit.milliseconds) return std::nullopt;
    return Duration(static_cast<std::int64_t>(*number * unit.milliseconds));
  }
  return std::nullopt;
}

std::string to_string(Duration duration) {
  const auto milliseconds = static_cast<std::uint64_t>(duration.count());
  if (milliseconds == 0) return "0";
  for (auto unit = k_units.rbegin(); unit != k_units.rend(); ++unit)
    if (milliseconds % unit->milliseconds == 0)
      return std::to_string(milliseconds / unit->milliseconds) + std::string(unit->suffix);
  return std::to_string(milliseconds) + "ms";
}

}  // namespace repoupdate
