// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/command_line.hpp"
#include "app/update_output.hpp"
#include "base/json_text.hpp"
#include "sync/sweep.hpp"

namespace repoupdate {
namespace {

struct Arguments {
  std::string url;
  bool dry_run = false;
  bool json = false;
};

// What became of a file, and why. Empty for those that nobody asks about.
std::string fate(const SweepItem& item, const SweepPolicy& policy, bool dry_run) {
  const SweepFile& file = item.file;
  if (item.removed)
    return std::string(dry_run ? "would be removed" : "removed") + ", not named since " + to_iso8601(file.since);
  if (item.left) return "stays: left for the next sweep, this one took too long";
  if (!item.kept.empty()) return "stays: " + item.kept;
  if (item.failure) return "could not be removed";
  switch (file.verdict) {
    case SweepVerdict::named:
    case SweepVerdict::own: return {};
    case SweepVerdict::unknown: return "stays: not known, nobody here has named it";
    case SweepVerdict::generation:
      return "stays: one of the newest " + std::to_string(policy.generations) + " of its kind that are not named";
    case SweepVerdict::grace:
      return "stays until " + to_iso8601(std::chrono::ceil<std::chrono::seconds>(file.since + least_age(policy))) +
             ", not named since " + to_iso8601(file.since);
    case SweepVerdict::goes: return "stays: the sweep was stopped";
  }
  return {};
}

void print_json(const Repository& repository, const SweepReport& report, bool dry_run) {
  std::cout << "{\"repository\":" << json_string(repository.name) << ",\"dry_run\":" << (dry_run ? "true" : "false")
            << ",\"removed\":" << report.removed() << ",\"bytes\":" << report.removed_bytes()
            << ",\"more\":" << (report.is_partial ? "true" : "false") << ",\"due_in\":";
  if (report.due_in)
    std::cout << std::chrono::duration_cast<std::chrono::seconds>(*report.due_in).count();
  else
    std::cout << "null";
  std::cout << ",\"files\":[";
  for (std::size_t i = 0; i < report.items.size(); ++i) {
    const SweepItem& item = report.items[i];
    std::cout << (i ? "," : "") << "{\"key\":" << json_string(item.file.key) << ",\"size\":" << item.file.size
              << ",\"modified\":" << json_string(to_iso8601(item.file.modified))
              << ",\"verdict\":" << json_string(to_string(item.file.verdict))
              << ",\"removed\":" << (item.removed ? "true" : "false")
              << ",\"what\":" << json_string(fate(item, repository.policy.sweep, dry_run)) << '}';
  }
  std::cout << "],\"uploads\":[";
  for (std::size_t i = 0; i < report.uploads.size(); ++i)
    std::cout << (i ? "," : "") << "{\"key\":" << json_string(report.uploads[i].key)
              << ",\"begun\":" << json_string(to_iso8601(report.uploads[i].begun)) << '}';
  std::cout << "]}\n";
}

void print_text(const Repository& repository, const SweepReport& report, bool dry_run) {
  for (const auto& item : report.items) {
    const std::string what = fate(item, repository.policy.sweep, dry_run);
    if (!what.empty()) std::cout << item.file.key << ": " << what << '\n';
  }
  for (const auto& upload : report.uploads)
    std::cout << upload.key << ": an upload that never ended, begun " << to_iso8601(upload.begun)
              << (dry_run ? ", would be removed\n" : ", removed\n");
  std::cout << repository.name << ": " << counted(report.removed(), "file") << " of " << report.removed_bytes()
            << " bytes" << (dry_run ? " would be removed, " : " removed, ") << report.unnamed()
            << " superseded ones stay for now\n";
  if (report.is_partial) std::cout << repository.name << ": more than one sweep can do: run it again for the rest\n";
}

ExitCode run(Session& session, const Arguments& arguments) {
  const auto repository = open_repository(session, arguments.url, Directory::must_exist, Signing::none);
  if (!repository) return fail(repository.error());
  const auto report = sweep(*repository, arguments.dry_run, session.clock, session.stop);
  if (!report) return fail(report.error());
  (arguments.json ? print_json : print_text)(*repository, *report, arguments.dry_run);
  for (const auto& item : report->items)
    if (item.failure) std::cerr << "repoupdate: " << item.file.key << ": " << item.failure->text() << '\n';
  for (const auto& failure : report->upload_failures)
    std::cerr << "repoupdate: note: uploads that never ended: " << failure.text() << '\n';
  return report->failed() > 0 ? ExitCode::partly : ExitCode::done;
}

}  // namespace

void declare_sweep(CLI::App& command, CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("REPO", arguments->url, "s3://bucket/prefix, or a directory")->required()->type_name("");
  command.add_flag("--dry-run", arguments->dry_run, "say what would go and what stays, and change nothing");
  command.add_flag("--json", arguments->json,
                   "print {repository, dry_run, removed, bytes, more, due_in, files: [{key, size, modified, verdict, "
                   "removed, what}], uploads: [{key, begun}]}");
  declare_section<RepositorySettings>(command, line, "defaults", "Repository");
  command.callback(
      [&line, arguments] { line.run = [arguments](Session& session) { return run(session, *arguments); }; });
}

}  // namespace repoupdate
