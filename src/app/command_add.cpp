// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/command_line.hpp"
#include "app/package_upload.hpp"
#include "app/update_output.hpp"
#include "sync/repository_state.hpp"
#include "sync/signature.hpp"
#include "sync/update.hpp"

namespace repoupdate {
namespace {

struct Arguments {
  std::string url;
  std::vector<std::string> files;
  std::string directory;
  bool upload_only = false;
  bool json = false;
};

// Asked before anything is uploaded: packages in a place without a repository, or in one that cannot be published, help
// nobody.
Result<void> check_repository(const Repository& repository) {
  if (!repository.policy.create) {
    const auto pointer = repository.store->head(repository.prefix + std::string(k_repomd_key));
    if (pointer.failed_with(ErrorKind::not_found)) return no_repository(repository);
    if (!pointer) return pointer.error();
  }
  if (!repository.signer) return check_unsigned(repository);
  if (repository.signer->can_sign()) return {};
  return Error{
      ErrorKind::invalid, repository.name + ": sign_public_key alone signs nothing, so nothing can be published", {}};
}

// In an immutable repository no listed NEVRA is uploaded with other bytes; elsewhere nobody asks.
Result<ListedPkgids> listed_pkgids(const Repository& repository) {
  ListedPkgids pkgids;
  if (!repository.policy.ingest.immutable) return pkgids;
  auto state = load_state(repository);
  if (!state) return std::move(state).error();
  if (!state->pointer) return pkgids;
  const auto listed = list_all(repository, *state);
  if (!listed) return listed.error();
  for (const auto& [position, entry] : *listed) pkgids.emplace(entry.nevra, entry.pkgid);
  return pkgids;
}

// Nothing was published: on request, or because nothing could be uploaded.
ExitCode report_uploads(const Repository& repository, const UploadSummary& uploads, bool json) {
  const auto code = [&] {
    if (uploads.failures.empty()) return ExitCode::done;
    return uploads.uploaded.empty() ? exit_code(uploads.failures.front().error.kind) : ExitCode::partly;
  };
  UpdateReport report;
  report.failures = uploads.failures;
  if (json) {
    print_report(repository, report, false, true);
    return code();
  }
  for (const auto& failure : uploads.failures)
    std::cerr << "repoupdate: " << failure.href << ": " << failure.error.text() << '\n';
  if (!uploads.uploaded.empty())
    std::cout << repository.name << ": " << counted(uploads.uploaded.size(), "package") << " uploaded, not published\n";
  return code();
}

ExitCode run(Session& session, const Arguments& arguments) {
  auto packages = find_packages(arguments.files, arguments.directory);
  if (!packages) return fail(packages.error());
  const auto repository = open_repository(session, arguments.url, when_missing(session, arguments.url),
                                          arguments.upload_only ? Signing::none : Signing::as_set);
  if (!repository) return fail(repository.error());
  if (!arguments.upload_only)
    if (const auto there = check_repository(*repository); !there) return fail(there.error());

  const auto pkgids = listed_pkgids(*repository);
  if (!pkgids) return fail(pkgids.error());
  UploadSummary uploads = upload(
      *repository, std::move(*packages),
      {.listed = &*pkgids, .always = arguments.upload_only, .progress = isatty(STDERR_FILENO) == 1 && !arguments.json},
      session.stop);
  if (arguments.upload_only || uploads.uploaded.empty()) return report_uploads(*repository, uploads, arguments.json);

  UpdateRequest request;
  for (const auto& package : uploads.uploaded) request.changes.keys[package.href];
  auto report = update(*repository, request, session.clock, session.stop);
  if (!report) return fail(std::move(report.error()).within("the packages are uploaded but not published"));
  report->failures.insert(report->failures.end(), uploads.failures.begin(), uploads.failures.end());
  return print_report(*repository, *report, false, arguments.json);
}

}  // namespace

void declare_add(CLI::App& command, CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("REPO", arguments->url, "s3://bucket/prefix, or a directory")->required()->type_name("");
  command.add_option("FILE", arguments->files, "package, or directory with *.rpm")->required()->type_name("");
  command.add_option("--directory", arguments->directory, "put them into this directory below the repository root")
      ->type_name("DIR");
  command.add_flag("--upload-only", arguments->upload_only, "leave publishing to the daemon");
  command.add_flag("--json", arguments->json, "print the outcome as one JSON object");
  declare_section<RepositorySettings>(command, line, "defaults", "Repository");
  command.callback(
      [&line, arguments] { line.run = [arguments](Session& session) { return run(session, *arguments); }; });
}

}  // namespace repoupdate
