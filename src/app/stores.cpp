// SPDX-License-Identifier: Apache-2.0
#include "app/stores.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "io/ability_files.hpp"
#include "io/aws_sender.hpp"
#include "io/credentials.hpp"
#include "io/directory_source.hpp"
#include "io/directory_store.hpp"
#include "io/http_client.hpp"
#include "io/s3_store.hpp"
#include "io/sqs_source.hpp"

namespace repoupdate {
namespace {

std::string first_of(const std::string& a, const std::string& b) {
  return a.empty() ? b : a;
}

std::optional<bool> path_style(const std::string& setting, const std::string& of_profile) {
  const std::string& addressing = setting == "auto" ? of_profile : setting;
  if (addressing != "path" && addressing != "virtual") return std::nullopt;
  return addressing == "path";
}

void report_abilities(const Log& log, const std::string& store, const StoreAbilities& abilities) {
  if (abilities.has_compare_and_swap()) return;
  log.warning("store without conditional writes, writers take turns by a lease",
              {{"store", store}, {"create", to_string(abilities.create)}, {"replace", to_string(abilities.replace)}});
}

bool is_on(const std::string& setting, bool of_profile) {
  return setting == "auto" ? of_profile : setting == "on";
}

}  // namespace

// One set of credentials and one pool of connections for everything.
struct Stores::Aws {
  Aws(const AwsSettings& settings, AwsProfile own, Clock& clock, const Log& log)
      : profile(std::move(own)),
        variant{is_on(settings.dual_stack, profile.variant.dual_stack), is_on(settings.fips, profile.variant.fips)},
        http({.ca_bundle = first_of(settings.ca_bundle, profile.ca_bundle)}),
        credentials(process_environment(), settings.profile, http, clock, {settings.region, variant}),
        sender(http, credentials, clock, {}, &log) {}

  AwsProfile profile;
  AwsEndpointVariant variant;
  HttpClient http;
  CredentialsProvider credentials;
  AwsSender sender;
};

struct Stores::State {
  AwsSettings settings;
  AbilityFiles abilities;
  Clock& clock;
  const Log& log;
  MetricTable& metrics;
  std::stop_token wish;  // from outside
  std::stop_source stop{};
  std::stop_callback<std::function<void()>> on_wish{wish, [this] { stop.request_stop(); }};
  std::mutex mutex{};
  std::map<std::string, std::unique_ptr<RequestMeter>> meters{};  // by the name of what they count for
  std::unique_ptr<Aws> aws{};
  std::map<std::string, std::unique_ptr<ObjectStore>> stores{};  // by scheme and bucket
};

Stores::Stores(const AwsSettings& aws, const std::string& cache_directory, Clock& clock, const Log& log,
               MetricTable& metrics, std::stop_token stop)
    : m_state(
          std::make_unique<State>(aws, AbilityFiles(cache_directory, clock), clock, log, metrics, std::move(stop))) {}
Stores::~Stores() = default;

void Stores::abandon() {
  m_state->stop.request_stop();
}

// The caller holds the lock.
Result<Stores::Aws*> Stores::aws() {
  if (!m_state->aws) {
    auto profile = load_aws_profile(process_environment(), m_state->settings.profile);
    if (!profile) return std::move(profile).error();
    m_state->aws = std::make_unique<Aws>(m_state->settings, std::move(*profile), m_state->clock, m_state->log);
  }
  return m_state->aws.get();
}

// The caller holds the lock.
RequestMeter* Stores::meter(const std::string& name) {
  auto& meter = m_state->meters[name];
  if (!meter) meter = std::make_unique<RequestMeter>(m_state->metrics, name);
  return meter.get();
}

Result<ObjectStore*> Stores::open(const RepositoryLocation& location) {
  const bool is_s3 = location.scheme == RepositoryLocation::Scheme::s3;
  const std::scoped_lock lock(m_state->mutex);
  auto& store = m_state->stores[(is_s3 ? "s3://" : "file://") + location.bucket];
  if (store) return store.get();
  if (!is_s3) {
    store = std::make_unique<DirectoryStore>(location.bucket);
    return store.get();
  }
  const auto shared = aws();
  if (!shared) return shared.error();
  const AwsSettings& settings = m_state->settings;
  S3StoreOptions options;
  options.bucket = location.bucket;
  options.region = first_of(settings.region, (*shared)->profile.region);
  options.endpoint_url =
      first_of(first_of(settings.s3_endpoint, settings.endpoint), (*shared)->profile.s3_endpoint_url);
  options.variant = (*shared)->variant;
  options.path_style = path_style(settings.addressing, (*shared)->profile.addressing);
  options.storage_class = settings.package_storage_class;
  options.acl = settings.package_acl;
  options.sse = settings.sse;
  options.sse_kms_key_id = settings.sse_kms_key_id;
  options.expected_bucket_owner = settings.expected_bucket_owner;
  options.abilities.files = &m_state->abilities;
  options.abilities.on_learnt = [log = &m_state->log, name = "s3://" + location.bucket](
                                    const StoreAbilities& abilities) { report_abilities(*log, name, abilities); };
  options.requester_pays = settings.requester_pays;
  options.tags = settings.object_tags;
  options.stop = m_state->stop.get_token();
  options.meter = meter("s3://" + location.bucket);
  auto opened = S3Store::open(std::move(options), (*shared)->sender);
  if (!opened) return std::move(opened).error();
  store = std::move(*opened);
  return store.get();
}

Result<std::unique_ptr<EventSource>> Stores::queue(const QueueSettings& queue, Duration visibility) {
  const std::scoped_lock lock(m_state->mutex);
  const auto shared = aws();
  if (!shared) return shared.error();
  const AwsSettings& settings = m_state->settings;
  SqsSourceOptions options;
  options.queue = queue.name;
  options.region = first_of(queue.region, first_of(settings.region, (*shared)->profile.region));
  options.endpoint_url =
      first_of(first_of(settings.sqs_endpoint, settings.endpoint), (*shared)->profile.sqs_endpoint_url);
  options.variant = (*shared)->variant;
  options.visibility = std::chrono::duration_cast<std::chrono::seconds>(visibility);
  options.stop = m_state->stop.get_token();
  auto address = parse_sqs_queue(queue.name);  // what is wrong with it, open() says
  if (address && address->region.empty()) address->region = options.region;
  if (address) options.meter = meter(to_string(*address));
  auto source = SqsSource::open(options, (*shared)->sender, &m_state->log);
  if (!source) return std::move(source).error();
  return std::unique_ptr<EventSource>(std::move(*source));
}

Result<std::unique_ptr<EventSource>> Stores::watch(std::vector<std::string> directories) {
  auto source = DirectorySource::open(std::move(directories));
  if (!source) return std::move(source).error();
  return std::unique_ptr<EventSource>(std::move(*source));
}

}  // namespace repoupdate
