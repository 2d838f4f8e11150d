// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <vector>

#include "app/command_line.hpp"
#include "app/update_output.hpp"
#include "base/json_text.hpp"
#include "sync/pending_uploads.hpp"
#include "sync/verify.hpp"

namespace repoupdate {
namespace {

struct Arguments {
  std::string url;
  bool packages = false;
  bool remove_uploads = false;
  bool json = false;
};

struct FoundUpload {
  PendingUpload upload;
  std::chrono::seconds age{};
  bool removed = false;
};

std::string age_text(std::chrono::seconds age) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(std::max(age, std::chrono::seconds(0))).count();
  if (hours == 0) return "less than an hour";
  const auto number = static_cast<std::size_t>(hours);
  return number < 48 ? counted(number, "hour") : counted(number / 24, "day");
}

// Whoever may not list them can still verify: then there are none, and a note says why.
Result<std::vector<FoundUpload>> look_at_uploads(const Session& session, const Repository& repository, bool remove) {
  std::vector<FoundUpload> found;
  const auto uploads = find_pending_uploads(repository);
  if (!uploads && (remove || uploads.error().kind == ErrorKind::cancelled)) return uploads.error();
  if (!uploads) {
    std::cerr << "repoupdate: cannot tell which uploads have not ended: " << uploads.error().text() << '\n';
    return found;
  }
  const SystemTime now = session.clock.now();
  for (const auto& upload : *uploads) {
    const bool removes = remove && is_abandoned(upload, now);
    if (removes)
      if (auto dropped = drop_pending_upload(repository, upload); !dropped) return std::move(dropped).error();
    found.push_back({upload, now - upload.begun, removes});
  }
  return found;
}

std::string repair_text(const Repository& repository, Repair repair) {
  switch (repair) {
    case Repair::none: return "These files are not made from the packages: put them back with the tool that made them";
    case Repair::update:
      return "`repoupdate update " + repository.name +
             "` puts that right; when it asks whether so many packages are meant to go, with --allow-shrink";
    case Repair::key:
      return "Name the key first: --sign-public-key FILE is enough to verify; who updates needs the secret one";
    case Repair::rebuild:
      return "`repoupdate update --rebuild " + repository.name + "` makes the metadata anew from the packages";
  }
  return {};
}

void print_list(const char* name, const std::vector<VerifyProblem>& list) {
  std::cout << ",\"" << name << "\":[";
  for (std::size_t i = 0; i < list.size(); ++i)
    std::cout << (i ? "," : "") << "{\"key\":" << json_string(list[i].key) << ",\"what\":" << json_string(list[i].what)
              << '}';
  std::cout << ']';
}

void print_json(const Repository& repository, const VerifyOutcome& outcome, const std::vector<FoundUpload>& uploads) {
  std::cout << "{\"repository\":" << json_string(repository.name)
            << ",\"sound\":" << (outcome.problems.empty() ? "true" : "false") << ",\"packages\":" << outcome.packages;
  print_list("problems", outcome.problems);
  print_list("quarantined", outcome.quarantined);
  std::cout << ",\"uploads\":[";
  for (std::size_t i = 0; i < uploads.size(); ++i)
    std::cout << (i ? "," : "") << "{\"key\":" << json_string(uploads[i].upload.key)
              << ",\"begun\":" << json_string(to_iso8601(uploads[i].upload.begun))
              << ",\"age\":" << uploads[i].age.count() << ",\"removed\":" << (uploads[i].removed ? "true" : "false")
              << '}';
  std::cout << "]}\n";
}

void print_text(const Repository& repository, const VerifyOutcome& outcome, const std::vector<FoundUpload>& uploads) {
  for (const auto& problem : outcome.problems) std::cout << problem.key << ": " << problem.what << '\n';
  for (const auto& package : outcome.quarantined)
    std::cout << package.key << ": in quarantine: " << package.what << '\n';
  for (const auto& found : uploads)
    std::cout << found.upload.key << " has an upload that has not ended, begun " << age_text(found.age) << " ago"
              << (found.removed ? ": removed" : "") << '\n';
  std::cout << repository.name << ": " << counted(outcome.packages, "package") << ", "
            << (outcome.quarantined.empty() ? "" : std::to_string(outcome.quarantined.size()) + " in quarantine, ")
            << (outcome.problems.empty() ? "all is well" : counted(outcome.problems.size(), "problem")) << '\n';
  if (!outcome.problems.empty()) std::cout << repair_text(repository, outcome.repair) << '\n';
}

ExitCode run(Session& session, const Arguments& arguments) {
  const auto repository = open_repository(session, arguments.url, Directory::must_exist, Signing::even_expired);
  if (!repository) return fail(repository.error());
  const auto outcome = verify(*repository, arguments.packages, session.stop);
  if (!outcome) return fail(outcome.error());
  const auto uploads = look_at_uploads(session, *repository, arguments.remove_uploads);
  if (!uploads) return fail(uploads.error());
  (arguments.json ? print_json : print_text)(*repository, *outcome, *uploads);
  return outcome->problems.empty() ? ExitCode::done : ExitCode::corrupt;
}

}  // namespace

void declare_verify(CLI::App& command, CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("REPO", arguments->url, "s3://bucket/prefix, or a directory")->required()->type_name("");
  command.add_flag("--packages", arguments->packages, "compare the SHA-256 of every package too");
  command.add_flag("--remove-uploads", arguments->remove_uploads,
                   "remove what uploads that began more than a day ago, and never ended, left in the bucket");
  command.add_flag("--json", arguments->json,
                   "print {repository, sound, packages, problems: [{key, what}], quarantined: [{key, what}], "
                   "uploads: [{key, begun, age, removed}]}");
  declare_section<RepositorySettings>(command, line, "defaults", "Repository");
  command.callback(
      [&line, arguments] { line.run = [arguments](Session& session) { return run(session, *arguments); }; });
}

}  // namespace repoupdate
