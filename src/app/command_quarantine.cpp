// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <vector>

#include "app/command_line.hpp"
#include "app/package_removal.hpp"
#include "app/update_output.hpp"
#include "base/json_text.hpp"
#include "base/parallel.hpp"
#include "model/location_href.hpp"
#include "sync/quarantine.hpp"
#include "sync/update.hpp"

namespace repoupdate {
namespace {

struct Arguments {
  std::string url;
  std::vector<std::string> keys;
  bool all = false;
  bool keep_object = false;
  bool yes = false;
  bool json = false;
};

// What a record speaks of, as it is now.
enum class Now { unchanged, changed, gone, unknown };

std::string_view to_string(Now now) {
  switch (now) {
    case Now::unchanged: return "unchanged";
    case Now::changed: return "changed";
    case Now::gone: return "gone";
    case Now::unknown: break;
  }
  return "unknown";
}

struct Found {
  QuarantineRecord record;
  Now now = Now::unknown;
};

struct Opened {
  Repository repository;
  QuarantineSight sight;
};

Result<Opened> open_quarantine(Session& session, const Arguments& arguments, Signing signing) {
  auto repository = open_repository(session, arguments.url, Directory::must_exist, signing);
  if (!repository) return std::move(repository).error();
  if (!repository->quarantine.is_kept)
    return Error{ErrorKind::invalid, repository->name + " has no quarantine: the setting `quarantine` is off", {}};
  auto sight = read_quarantine(*repository);
  if (!sight) return std::move(sight).error();
  return Opened{*std::move(repository), *std::move(sight)};
}

// The records that are meant: those that each KEY matches, by key, file name, or a glob of either. not_found when one
// matches nothing.
Result<std::vector<Found>> select(const Opened& opened, const std::vector<std::string>& patterns) {
  std::map<std::string, Found> selected;
  for (const auto& [href, record] : opened.sight.records)
    if (patterns.empty()) selected[href] = {record};
  for (const auto& pattern : patterns) {
    bool found = false;
    for (const auto& [href, record] : opened.sight.records) {
      if (!matches_pattern(pattern, {href, std::string(basename_of(href))})) continue;
      found = true;
      selected[href] = {record};
    }
    if (!found)
      return Error{ErrorKind::not_found,
                   opened.repository.name + ": nothing in quarantine matches '" + pattern + "'; nothing was changed",
                   {}};
  }
  std::vector<Found> records;
  for (auto& [href, found] : selected) records.push_back(std::move(found));
  return records;
}

void look_at_objects(const Repository& repository, std::vector<Found>& records) {
  for_each_parallel(records.size(), repository.policy.requests, [&](std::size_t i) {
    auto& [record, now] = records[i];
    const auto object = repository.store->head(repository.prefix + record.href);
    if (object.failed_with(ErrorKind::not_found)) now = Now::gone;
    if (object) now = record.etag.text.empty() || is_of(record, *object) ? Now::unchanged : Now::changed;
  });
}

std::string json_of(const Found& found) {
  std::string json = to_json(found.record);
  json.pop_back();
  return json + ",\"now\":" + json_string(to_string(found.now)) + '}';
}

ExitCode list(Session& session, const Arguments& arguments) {
  const auto opened = open_quarantine(session, arguments, Signing::none);
  if (!opened) return fail(opened.error());
  auto records = select(*opened, arguments.keys);
  if (!records) return fail(records.error());
  look_at_objects(opened->repository, *records);
  if (arguments.json) {
    std::cout << '[';
    for (std::size_t i = 0; i < records->size(); ++i) std::cout << (i ? ",\n " : "") << json_of((*records)[i]);
    std::cout << "]\n";
    return ExitCode::done;
  }
  for (const auto& [record, now] : *records) {
    std::cout << record.href << '\n'
              << "  since " << to_iso8601(record.since) << ", tried " << counted(record.tries, "time") << ", last "
              << to_iso8601(record.tried) << "; " << record.size << " bytes"
              << (record.is_listed ? "; still listed as it was before" : "");
    if (now == Now::changed) std::cout << "; has changed since";
    if (now == Now::gone) std::cout << "; is gone";
    std::cout << "\n  " << to_string(record.kind) << ": " << record.reason << '\n';
  }
  std::cout << opened->repository.name << ": " << counted(records->size(), "package") << " in quarantine\n";
  return ExitCode::done;
}

ExitCode retry(Session& session, const Arguments& arguments) {
  const auto opened = open_quarantine(session, arguments, Signing::as_set);
  if (!opened) return fail(opened.error());
  const auto records = select(*opened, arguments.keys);
  if (!records) return fail(records.error());
  RepositoryMemory memory(MemoryLimits{});
  memory.keep_quarantine(opened->repository.name, opened->sight);
  Repository repository = opened->repository;
  repository.memory = &memory;
  UpdateRequest request;
  for (const auto& found : *records) request.changes.keys[found.record.href];
  request.quarantine_passing = true;  // it is in quarantine already
  auto report = update(repository, request, session.clock, session.stop);
  if (!report) return fail(report.error());
  report->unknown.clear();  // gone, and out of quarantine with that
  return print_report(repository, *report, false, arguments.json);
}

// The object as the record knows it: what somebody has put in its place may be good.
void keep_changed(std::vector<Found>& records, std::vector<PackageFailure>& failures) {
  for (const auto& [record, now] : records) {
    if (now == Now::changed)
      failures.push_back({record.href,
                          {ErrorKind::conflict,
                           "has changed since it went into quarantine, and was kept; look again "
                           "with `quarantine retry`",
                           {}}});
    if (now == Now::unknown)
      failures.push_back({record.href, {ErrorKind::unavailable, "cannot be looked at, and was kept", {}}});
  }
  std::erase_if(records, [](const Found& found) { return found.now == Now::changed || found.now == Now::unknown; });
}

ExitCode drop(Session& session, const Arguments& arguments) {
  if (arguments.keys.empty() != arguments.all)
    return fail({ErrorKind::invalid, "name what to drop, or say --all: one of the two", {}});
  const auto opened = open_quarantine(session, arguments, Signing::as_set);
  if (!opened) return fail(opened.error());
  const Repository& repository = opened->repository;
  auto records = select(*opened, arguments.keys);
  if (!records) return fail(records.error());
  if (!arguments.keep_object)
    if (const auto agreed = confirm_removal(records->size(), arguments.yes, session.stop); !agreed)
      return fail(agreed.error());

  UpdateReport report;
  std::set<std::string> hrefs;
  if (!arguments.keep_object) {
    std::vector<PackageFailure> failures;
    look_at_objects(repository, *records);
    keep_changed(*records, failures);
    UpdateRequest request;
    for (const auto& found : *records) request.changes.removals.insert(found.record.href);
    // What is still listed goes from the metadata first, as with `remove`.
    auto updated = update(repository, request, session.clock, session.stop);
    if (!updated) return fail(updated.error());
    report = *std::move(updated);
    report.quarantine.held.clear();  // of others, and of those that are dropped
    auto left = delete_objects(repository, request.changes.removals, session.stop);
    failures.insert(failures.end(), left.begin(), left.end());
    report.failures = std::move(failures);
    for (const auto& failure : left)
      std::erase_if(*records, [&](const auto& f) { return f.record.href == failure.href; });
  }
  if (!arguments.json)
    for (const auto& failure : report.failures)
      std::cerr << "repoupdate: " << failure.href << ": " << failure.error.text() << '\n';
  for (const auto& found : *records) hrefs.insert(found.record.href);
  if (const auto forgotten = forget_quarantined(session, repository, hrefs); !forgotten) return fail(forgotten.error());
  report.quarantine.released.assign(hrefs.begin(), hrefs.end());
  report.quarantine.total = opened->sight.records.size() - hrefs.size();
  if (!arguments.json) {
    std::cout << repository.name << ": " << counted(hrefs.size(), "package")
              << (arguments.keep_object ? " forgotten" : " deleted") << ", " << *report.quarantine.total
              << " left in quarantine\n";
    return exit_code(report);
  }
  return print_report(repository, report, false, true);
}

using Run = ExitCode (*)(Session&, const Arguments&);

CLI::App* declare(CLI::App& command, CommandLine& line, const std::shared_ptr<Arguments>& arguments,
                  const std::string& name, const std::string& text, const std::string& footer, Run run) {
  CLI::App* sub = command.add_subcommand(name, text);
  sub->fallthrough();
  sub->footer(footer);
  declare_common(*sub, line);  // known to `quarantine` as well, but looked for here
  sub->add_option("REPO", arguments->url, "s3://bucket/prefix, or a directory")->required()->type_name("");
  sub->add_option("KEY", arguments->keys, "path below REPO, file name, or a glob of either")->type_name("");
  sub->add_flag("--json", arguments->json, "print one JSON document");
  sub->callback(
      [&line, arguments, run] { line.run = [arguments, run](Session& session) { return run(session, *arguments); }; });
  return sub;
}

}  // namespace

void declare_quarantine(CLI::App& command, CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  command.require_subcommand(1);
  declare(command, line, arguments, "list", "print what is in quarantine, and why",
          "Examples:\n"
          "  repoupdate quarantine list s3://packages/el9/x86_64\n"
          "  repoupdate quarantine list --json /srv/repo | jq -r '.[].key'\n",
          list);
  CLI::App* retries = declare(command, line, arguments, "retry", "look at it again now, and publish what is good",
                              "All that is in quarantine, or the KEYs that are named.\n\n"
                              "Examples:\n"
                              "  repoupdate quarantine retry s3://packages/el9/x86_64\n"
                              "  repoupdate quarantine retry /srv/repo hello-1.0-1.x86_64.rpm\n",
                              retry);
  CLI::App* drops = declare(command, line, arguments, "drop", "delete the packages, and forget them",
                            "Objects that have changed since they went into quarantine stay.\n\n"
                            "Examples:\n"
                            "  repoupdate quarantine drop s3://packages/el9/x86_64 'broken-*.rpm'\n"
                            "  repoupdate quarantine drop --keep-object /srv/repo hello-1.0-1.x86_64.rpm\n",
                            drop);
  drops->add_flag("--all", arguments->all, "all that is in quarantine");
  drops->add_flag("--keep-object", arguments->keep_object,
                  "forget the record only: the next comparison with the listing looks again");
  drops->add_flag("--yes,-y", arguments->yes, "do not ask when more than 10 packages match");
  for (CLI::App* each : {retries, drops}) declare_section<RepositorySettings>(*each, line, "defaults", "Repository");
}

}  // namespace repoupdate
