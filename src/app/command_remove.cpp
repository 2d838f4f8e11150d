// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "app/command_line.hpp"
#include "app/package_removal.hpp"
#include "app/update_output.hpp"
#include "model/location_href.hpp"
#include "sync/package_key.hpp"
#include "sync/quarantine.hpp"
#include "sync/reconcile.hpp"
#include "sync/repository_state.hpp"
#include "sync/update.hpp"

namespace repoupdate {
namespace {

struct Arguments {
  std::string url;
  std::vector<std::string> patterns;
  bool keep_object = false;
  bool yes = false;
  bool json = false;
};

bool matches(const std::string& pattern, const IndexEntry& entry) {
  const std::string href(key_of_href(entry.location_href));
  const std::string base(basename_of(href));
  const Nevra& n = entry.nevra;
  const std::string rest = n.version + '-' + n.release + '.' + n.arch;
  const std::string nvra = n.name + '-' + rest, nevra = n.name + '-' + n.epoch + ':' + rest;
  return matches_pattern(pattern, {href, base, nvra, nevra});
}

struct Selection {
  std::set<std::string> hrefs;
  std::set<std::string> objects;  // objects of this repository: those of them, and packages that are not listed
  std::set<std::string> quarantined;
};

// Packages that are there and not listed: in quarantine, or not looked at yet, or never to be listed; or left behind by a
// removal that ended between its publication and its last deletion, which the same words complete.
class Unlisted {
public:
  // Both must outlive it.
  Unlisted(const Repository& repository, const std::vector<ListedPackage>& listed)
      : m_repository(repository), m_listed(listed) {}

  // Whether anything matches.
  Result<bool> select(const std::string& pattern, Selection& selection) {
    if (auto loaded = load_quarantine(); !loaded) return std::move(loaded).error();
    bool found = false;
    for (const auto& [href, record] : *m_quarantine) {
      if (!matches_pattern(pattern, {href, std::string(basename_of(href))})) continue;
      found = true;
      selection.quarantined.insert(href);
      selection.objects.insert(href);
    }
    if (m_repository.owns(pattern)) {
      const auto object = m_repository.store->head(m_repository.prefix + pattern);
      if (!object && !object.failed_with(ErrorKind::not_found)) return object.error();
      if (object) selection.objects.insert(pattern);
      if (object) return true;
    }
    if (auto loaded = load_objects(); !loaded) return std::move(loaded).error();
    for (const auto& href : *m_objects) {
      const std::string base(basename_of(href));  // the NEVRA, too: nobody has read it
      if (!matches_pattern(pattern, {href, base, base.substr(0, base.rfind('.'))})) continue;
      found = true;
      selection.objects.insert(href);
    }
    return found;
  }

private:
  Result<void> load_quarantine() {
    if (m_quarantine) return {};
    auto sight = m_repository.quarantine.is_kept ? read_quarantine(m_repository) : QuarantineSight{};
    if (!sight) return std::move(sight).error();
    m_quarantine = std::move(sight->records);
    return {};
  }

  Result<void> load_objects() {
    if (m_objects) return {};
    const auto listing = list_package_objects(m_repository);
    if (!listing) return listing.error();
    m_objects.emplace();
    for (const auto& object : listing->packages) m_objects->insert(object.key);
    for (const auto& [position, entry] : m_listed) m_objects->erase(std::string(key_of_href(entry.location_href)));
    return {};
  }

  const Repository& m_repository;
  const std::vector<ListedPackage>& m_listed;
  std::optional<QuarantineRecords> m_quarantine;
  std::optional<std::set<std::string>> m_objects;  // hrefs
};

Result<Selection> select(const Repository& repository, const std::vector<ListedPackage>& listed,
                         const std::vector<std::string>& patterns) {
  Selection selection;
  Unlisted unlisted(repository, listed);
  for (const auto& pattern : patterns) {
    bool found = false;
    for (const auto& [position, entry] : listed) {
      if (!matches(pattern, entry)) continue;
      found = true;
      const std::string href(key_of_href(entry.location_href));
      selection.hrefs.insert(href);
      if (entry.location_base.empty() && repository.owns(href)) selection.objects.insert(href);
    }
    if (!found) {
      const auto others = unlisted.select(pattern, selection);
      if (!others) return others.error();
      found = *others;
    }
    if (!found)
      return Error{
          ErrorKind::not_found, repository.name + ": no package matches '" + pattern + "'; nothing was removed", {}};
  }
  return selection;
}

ExitCode run(Session& session, const Arguments& arguments) {
  const auto repository = open_repository(session, arguments.url, Directory::must_exist);
  if (!repository) return fail(repository.error());
  auto state = load_state(*repository);
  if (!state) return fail(state.error());
  if (!state->pointer) return fail(no_repository(*repository));
  const auto listed = list_all(*repository, *state);
  if (!listed) return fail(listed.error());
  auto selection = select(*repository, *listed, arguments.patterns);
  if (!selection) return fail(selection.error());
  std::set<std::string> all = selection->hrefs;
  all.insert(selection->objects.begin(), selection->objects.end());
  if (const auto agreed = confirm_removal(all.size(), arguments.yes, session.stop); !agreed)
    return fail(agreed.error());

  UpdateRequest request;
  request.changes.removals = std::move(all);  // what is deleted must not come in by the listing meanwhile
  auto report = update(*repository, request, session.clock, session.stop);
  if (!report) return fail(report.error());
  report->quarantine.held.clear();  // of others, like the failures: nobody asked for them
  report->failures.clear();
  if (!arguments.keep_object) report->failures = delete_objects(*repository, selection->objects, session.stop);
  const ExitCode code = print_report(*repository, *report, false, arguments.json);
  if (arguments.keep_object) return code;
  for (const auto& failure : report->failures) selection->quarantined.erase(failure.href);
  if (selection->quarantined.empty()) return code;
  const auto forgotten = forget_quarantined(session, *repository, selection->quarantined);
  return forgotten ? code : fail(forgotten.error());
}

}  // namespace

void declare_remove(CLI::App& command, CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("REPO", arguments->url, "s3://bucket/prefix, or a directory")->required()->type_name("");
  command.add_option("PACKAGE", arguments->patterns, "file name, NEVRA, or a glob of either")
      ->required()
      ->type_name("");
  command.add_flag("--keep-object", arguments->keep_object,
                   "drop it from the metadata only; an update or a reconciling daemon would list it again");
  command.add_flag("--yes,-y", arguments->yes, "do not ask when more than 10 packages match");
  command.add_flag("--json", arguments->json, "print the outcome as one JSON object");
  declare_section<RepositorySettings>(command, line, "defaults", "Repository");
  command.callback(
      [&line, arguments] { line.run = [arguments](Session& session) { return run(session, *arguments); }; });
}

}  // namespace repoupdate
