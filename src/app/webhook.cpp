// SPDX-License-Identifier: Apache-2.0
#include "app/webhook.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "app/daemon_metrics.hpp"
#include "io/webhook_source.hpp"

namespace repoupdate {
namespace {

constexpr MetricName k_refused{"repoupdate_webhook_refused_total", "Requests that the webhook refused, by status."};
constexpr Duration k_refusals_every{std::chrono::minutes(1)};  // one line for each status in this time

Error wrong(const std::string& what) {
  return {ErrorKind::invalid, what, {}};
}

Result<std::string> read_small_file(const std::string& path, std::string_view key) {
  std::ifstream stream(path, std::ios::binary);
  std::string text(k_max_secret_file + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.empty() || text.size() > k_max_secret_file)
    return wrong("webhook." + std::string(key) + " = \"" + path + "\": cannot be read, is empty or above 64 KiB");
  return text;
}

Result<WebhookAccess> access_of(const WebhookSettings& settings) {
  WebhookAccess access{settings.secret, settings.user};
  if (!settings.secret_file.empty()) {
    if (!settings.secret.empty()) return wrong("webhook.secret and webhook.secret_file are both set: keep one");
    auto text = read_small_file(settings.secret_file, "secret_file");
    if (!text) return std::move(text).error();
    text->erase(text->find_last_not_of("\r\n") + 1);
    access.secret = std::move(*text);
    if (access.secret.empty()) return wrong("the file of webhook.secret_file holds no secret");
  }
  // Stores split a token at spaces, and a header holds nothing else.
  if (!std::ranges::all_of(access.secret, [](char c) { return c > ' ' && c <= '~'; }))
    return wrong("the webhook's secret may hold printable ASCII without spaces only");
  if (access.user.find(':') != std::string::npos) return wrong("webhook.user may hold no ':'");
  if (!access.user.empty() && access.secret.empty()) return wrong("webhook.user is set, but no webhook.secret");
  return access;
}

// Made when it is not there; its directory as well.
Result<std::string> queue_file(const WebhookSettings& settings) {
  std::filesystem::path file = settings.file;
  if (file.empty()) {
    const char* given = std::getenv("STATE_DIRECTORY");  // systemd's, for StateDirectory=
    const std::string_view directories = given == nullptr ? "" : given;
    const std::string_view first = directories.substr(0, directories.find(':'));
    file = std::filesystem::path(first.empty() ? "/var/lib/repoupdate" : first) / "webhook.sqlite";
  }
  std::error_code failure;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), failure);
  if (failure)
    return Error{ErrorKind::denied,
                 "cannot make the directory of " + file.string() + ": " + failure.message() +
                     ": set webhook.file to where the queue of events may be",
                 {}};
  return file.string();
}

// What is refused is decided by whoever connects, so it must not fill the log: a line for each status and minute.
class Refusals {
public:
  Refusals(const Log& log, MetricTable& metrics, Clock& clock) : m_log(log), m_metrics(metrics), m_clock(clock) {}

  void operator()(int status, const std::string& reason, const std::string& peer) {
    m_metrics.counter(k_refused, {{"status", std::to_string(status)}}).add();
    const std::scoped_lock lock(m_mutex);
    Kind& kind = m_kinds[status];
    kind.count += 1;
    const SteadyTime now = m_clock.steady();
    if (kind.told && now - kind.last < k_refusals_every) return;
    m_log.warning("webhook refused",
                  {{"status", status}, {"reason", reason}, {"peer", peer}, {"requests", kind.count}});
    kind = {true, now, 0};
  }

private:
  struct Kind {
    bool told = false;
    SteadyTime last{};
    std::uint64_t count = 0;  // since the last line
  };
  const Log& m_log;
  MetricTable& m_metrics;
  Clock& m_clock;
  std::mutex m_mutex;
  std::map<int, Kind> m_kinds;
};

Result<WebhookSourceOptions> options_of(const Settings& all) {
  const WebhookSettings& settings = all.webhook;
  WebhookSourceOptions options;
  options.server.listen = settings.listen;
  auto access = access_of(settings);
  if (!access) return std::move(access).error();
  options.server.access = std::move(*access);
  if (settings.tls_certificate.empty() != settings.tls_key.empty())
    return wrong("webhook.tls_certificate and webhook.tls_key have to be set both, or neither");
  if (!settings.tls_key.empty()) {
    auto certificate = read_small_file(settings.tls_certificate, "tls_certificate");
    if (!certificate) return std::move(certificate).error();
    auto key = read_small_file(settings.tls_key, "tls_key");
    if (!key) return std::move(key).error();
    options.server.tls_certificate = std::move(*certificate);
    options.server.tls_key = std::move(*key);
  }
  auto file = queue_file(settings);
  if (!file) return std::move(file).error();
  options.queue_file = std::move(*file);
  options.limits = {settings.max_messages, settings.disk_mib << 20, settings.max_receives};
  options.visibility = all.daemon.visibility;
  return options;
}

}  // namespace

Result<std::unique_ptr<EventSource>> open_webhook(Session& session) {
  auto options = options_of(session.settings);
  if (!options) return std::move(options).error();
  const Log& log = session.log;
  const std::string file = options->queue_file;
  const bool open_to_all = options->server.access.secret.empty();
  session.metrics.counter(k_refused, {{"status", "503"}});  // there from the beginning: these events may be lost
  const auto refusals = std::make_shared<Refusals>(log, session.metrics, session.clock);
  const auto name = std::make_shared<std::string>();  // known once it listens
  WebhookReports reports;
  reports.refused = [refusals](int status, const std::string& reason, const std::string& peer) {
    (*refusals)(status, reason, peer);
  };
  reports.parked = [&log, &metrics = session.metrics, name](const std::string& message_id, const std::string& about) {
    log.error("message parked: it was tried as often as max_receives says",
              {{"source", "webhook"}, {"message_id", message_id}, {"about", about}});
    SourceMetrics(metrics, *name).parked.add();
  };
  auto source = WebhookSource::open(std::move(*options), std::move(reports), session.clock);
  if (!source) return std::move(source).error();
  *name = (*source)->name();
  log.info("webhook listens", {{"url", (*source)->name()}, {"queue_file", file}, {"waiting", (*source)->waiting()}});
  if (open_to_all) log.warning("webhook takes events from everybody: set webhook.secret");
  return std::unique_ptr<EventSource>(std::move(*source));
}

}  // namespace repoupdate
