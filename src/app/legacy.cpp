// SPDX-License-Identifier: Apache-2.0
// The two programs of the Python tool, with exactly its options, so that unit files and CI jobs go on working.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "app/command_line.hpp"
#include "app/daemon.hpp"
#include "app/package_upload.hpp"
#include "app/update_output.hpp"

namespace repoupdate {
namespace {

struct DaemonArguments {
  std::string bucket, path, region, logfile;
  std::vector<std::string> queues;
  int verbose = 0;
  std::uint64_t check_interval = 60;
  std::uint64_t delay_count = 2;
  bool paced = false;  // one of the two was given
};

std::string url_of(const std::string& bucket, std::string path) {
  while (path.starts_with('/')) path.erase(0, 1);
  return "s3://" + bucket + '/' + path;
}

// The old program looked into its queue every `check_interval` seconds, and published when it had found nothing
// `delay_count` times: that is a quiet time. Queues are long-polled here, so events come at once anyway.
void apply(Settings& settings, const DaemonArguments& arguments) {
  if (!arguments.region.empty()) settings.aws.region = arguments.region;
  if (!arguments.logfile.empty()) settings.log.file = arguments.logfile;
  if (arguments.verbose > 0) settings.log.level = "debug";
  for (const auto& queue : arguments.queues) settings.queues.push_back({queue, {}});
  if (arguments.paced) {
    const Duration quiet = std::chrono::seconds(arguments.check_interval * arguments.delay_count);
    settings.defaults.quiet = std::min(quiet, settings.defaults.max_age);
  }
  if (!arguments.bucket.empty() && !arguments.path.empty())
    serve_too(settings, url_of(arguments.bucket, arguments.path));
}

ExitCode run_legacy_daemon(Session& session, const DaemonArguments& arguments) {
  if (arguments.bucket.empty() && !arguments.path.empty())
    return fail({ErrorKind::invalid, "-p needs a bucket: name it with -b", {}});
  if (session.settings.queues.empty()) return fail({ErrorKind::invalid, "no queue to listen to: name one with -q", {}});
  if (!session.settings.repositories.empty()) return run_daemon(session, std::nullopt);
  return run_daemon(session, Discovery{arguments.bucket});
}

struct PackageArguments {
  std::string bucket, path, region, operation = "add";
  std::vector<std::string> files;
  int verbose = 0;
};

ExitCode report(const std::vector<PackageFailure>& failures) {
  for (const auto& failure : failures)
    std::cerr << "updatePackages: " << failure.href << ": " << failure.error.text() << '\n';
  return failures.empty() ? ExitCode::done : ExitCode::partly;
}

// Uploads or deletes only; the daemon hears of it and publishes.
ExitCode run_packages(Session& session, const PackageArguments& arguments) {
  const auto repository =
      open_repository(session, url_of(arguments.bucket, arguments.path), Directory::must_exist, Signing::none);
  if (!repository) return fail(repository.error());
  if (arguments.operation == "add") {
    auto packages = find_packages(arguments.files, {});
    if (!packages) return fail(packages.error());
    const UploadSummary outcome = upload(*repository, std::move(*packages), {.always = true}, session.stop);
    std::cout << counted(outcome.uploaded.size(), "package") << " uploaded to " << repository->name << '\n';
    return report(outcome.failures);
  }
  std::vector<PackageFailure> failures;
  for (const auto& file : arguments.files) {
    const std::string href(std::filesystem::path(file).filename());
    if (auto removed = repository->store->remove(repository->prefix + href, {}); !removed)
      failures.push_back({href, std::move(removed).error()});
  }
  std::cout << counted(arguments.files.size() - failures.size(), "package") << " deleted from " << repository->name
            << '\n';
  return report(failures);
}

}  // namespace

void declare_legacy_daemon(CLI::App& program, CommandLine& line) {
  const auto arguments = std::make_shared<DaemonArguments>();
  program.description(
      "Keeps RPM repositories on S3 up to date: `repoupdate daemon` with the options of the Python tool.");
  program.footer(
      "Examples:\n  repoupdate-daemon -q package-events\n"
      "  repoupdate-daemon -b packages -p el9/x86_64 -q adds -q removes -l /var/log/repoupdate.log -d");
  program.add_option("-b,--bucket", arguments->bucket, "bucket; without it and -p, those that events name");
  program.add_option("-p,--repopath", arguments->path, "path of the repository in the bucket");
  program.add_option("-r,--region", arguments->region, "AWS region");
  program
      .add_option("-q,--sqs-name", arguments->queues, "SQS queue, for packages that come, go, or both; may be repeated")
      ->allow_extra_args(false);
  program.add_flag("-v,--verbose", arguments->verbose, "say more; may be repeated");
  program.add_option("-l,--logfile", arguments->logfile, "log there instead of standard error");
  program.add_flag("-d,--daemon", line.detach, "run in the background");
  auto* interval = program.add_option("--queue-check-interval", arguments->check_interval,
                                      "times the next: how long nothing new must have come [60]");
  auto* count = program.add_option("--process-delay-count", arguments->delay_count,
                                   "see above [2]; without both, 2 seconds; never more than 30");
  interval->check(CLI::Range(0, 86'400).description(""))->type_name("SECONDS");
  count->check(CLI::Range(0, 1'000).description(""))->type_name("N");
  program.callback([&line, arguments, interval, count] {
    arguments->paced = interval->count() + count->count() > 0;
    line.adjust = [arguments](Settings& settings) { apply(settings, *arguments); };
    line.run = [arguments](Session& session) { return run_legacy_daemon(session, *arguments); };
  });
}

void declare_legacy_packages(CLI::App& program, CommandLine& line) {
  const auto arguments = std::make_shared<PackageArguments>();
  program.description("Uploads packages to, or deletes them from, a repository on S3. The daemon publishes.");
  program.footer(
      "Examples:\n  updatePackages -b packages -p el9/x86_64 build/*.rpm\n"
      "  updatePackages -b packages -p el9/x86_64 -o remove hello-1.0-1.x86_64.rpm");
  program.add_option("-b,--bucket", arguments->bucket, "bucket")->required();
  program.add_option("-p,--repopath", arguments->path, "path of the repository in the bucket");
  program.add_option("-r,--region", arguments->region, "AWS region");
  program.add_option("-o,--operation", arguments->operation, "add or remove [add]")
      ->check(CLI::IsMember({"add", "remove"}));
  program.add_flag("-v,--verbose", arguments->verbose, "say more; may be repeated");
  program.add_option("files", arguments->files, "packages")->required();
  program.callback([&line, arguments] {
    line.adjust = [arguments](Settings& settings) {
      if (!arguments->region.empty()) settings.aws.region = arguments->region;
      if (arguments->verbose > 0) settings.log.level = "debug";
    };
    line.run = [arguments](Session& session) { return run_packages(session, *arguments); };
  });
}

}  // namespace repoupdate
