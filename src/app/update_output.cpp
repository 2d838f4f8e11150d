// SPDX-License-Identifier: Apache-2.0
#include "app/update_output.hpp"

#include <algorithm>
#include <iostream>
#include <sstream>
#include <vector>

#include "base/json_text.hpp"

namespace repoupdate {
namespace {

template <typename List, typename Show>
std::string json_list(const List& list, Show show) {
  std::string text = "[";
  for (const auto& element : list) text += (text.size() > 1 ? "," : "") + show(element);
  return text + ']';
}

std::string json_quarantine(const QuarantineReport& quarantine) {
  const auto string = [](const std::string& text) { return json_string(text); };
  const auto record = [](const QuarantineRecord& held) { return to_json(held); };
  return "{\"total\":" + (quarantine.total ? std::to_string(*quarantine.total) : "null") +
         ",\"held\":" + json_list(quarantine.held, record) + ",\"added\":" + json_list(quarantine.added, string) +
         ",\"released\":" + json_list(quarantine.released, string) +
         ",\"failure\":" + (quarantine.failure ? json_string(quarantine.failure->text()) : "null") + '}';
}

std::string json_report(const Repository& repository, const UpdateReport& report) {
  const auto failure = [](const PackageFailure& f) {
    return "{\"location_href\":" + json_string(f.href) + ",\"kind\":" + json_string(to_string(f.error.kind)) +
           ",\"message\":" + json_string(f.error.text()) + '}';
  };
  const auto string = [](const std::string& text) { return json_string(text); };
  std::vector<std::string> lines;
  for (const auto& edit : report.edits) {
    std::istringstream text(to_string(edit));
    for (std::string each; std::getline(text, each);) lines.push_back(each);
  }
  return "{\"repository\":" + json_string(repository.name) + ",\"published\":" + (report.published ? "true" : "false") +
         ",\"revision\":" + json_string(report.revision) + ",\"packages\":" + std::to_string(report.packages) +
         ",\"added\":" + std::to_string(report.added()) + ",\"replaced\":" + std::to_string(report.replaced()) +
         ",\"removed\":" + std::to_string(report.removed()) + ",\"lost_races\":" + std::to_string(report.lost_races) +
         ",\"edit\":" + json_list(lines, string) + ",\"failures\":" + json_list(report.failures, failure) +
         ",\"unknown\":" + json_list(report.unknown, string) + ",\"notes\":" + json_list(report.notes, string) +
         ",\"dropped_records\":" + json_list(report.dropped_records, string) +
         ",\"repaired\":" + json_list(report.repaired, string) +
         ",\"quarantine\":" + json_quarantine(report.quarantine) +
         ",\"signed_anew\":" + (report.signed_anew ? "true" : "false") + '}';
}

void print_for_people(const Repository& repository, const UpdateReport& report, bool dry_run) {
  for (const auto& key : report.unknown) {
    std::cerr << "repoupdate: note: " << key << ": neither in " << repository.name << " nor listed";
    if (!repository.prefix.empty() && key.starts_with(repository.prefix))
      std::cerr << "; keys are paths below it: " << key.substr(repository.prefix.size());
    std::cerr << '\n';
  }
  for (const auto& note : report.notes) std::cerr << "repoupdate: note: " << note << '\n';
  for (const auto& type : report.dropped_records)
    std::cerr << "repoupdate: warning: record " << type
              << " is made from the packages and would be stale; it was dropped\n";
  warn_of_repairs(report);
  for (const auto& failure : report.failures)
    std::cerr << "repoupdate: " << failure.href << ": " << failure.error.text() << '\n';
  for (const auto& record : report.quarantine.held)
    std::cerr << "repoupdate: " << record.href << ": in quarantine since " << to_iso8601(record.since) << ": "
              << record.reason << '\n';
  if (report.quarantine.failure) std::cerr << "repoupdate: warning: " << report.quarantine.failure->text() << '\n';
  if (dry_run) {
    for (const auto& edit : report.edits) std::cout << to_string(edit);
    std::cout << "dry run: " << report.added() << " to add, " << report.replaced() << " to replace, "
              << report.removed() << " to remove; nothing was changed\n";
  } else if (!report.published) {
    std::cout << repository.name << ": nothing to change, " << counted(report.packages, "package") << '\n';
  } else {
    std::cout << repository.name << ": revision " << report.revision << ", " << counted(report.packages, "package")
              << " (" << report.added() << " added, " << report.replaced() << " replaced, " << report.removed()
              << " removed)\n";
  }
}

}  // namespace

std::string counted(std::size_t number, const std::string& noun) {
  return std::to_string(number) + ' ' + noun + (number == 1 ? "" : "s");
}

void warn_of_repairs(const UpdateReport& report) {
  for (const auto& key : report.repaired)
    std::cerr << "repoupdate: warning: " << key << " had other bytes than its name says; it was put again\n";
  if (report.signed_anew)
    std::cerr << "repoupdate: note: repomd.xml had no signature that fits it by the configured key; it was signed\n";
}

ExitCode exit_code(const UpdateReport& report) {
  const auto is_left = [](const PackageFailure& failure) { return failure.error.kind == ErrorKind::cancelled; };
  if (std::ranges::any_of(report.failures, is_left)) return ExitCode::stopped;
  return report.failures.empty() && report.quarantine.held.empty() ? ExitCode::done : ExitCode::partly;
}

ExitCode print_report(const Repository& repository, const UpdateReport& report, bool dry_run, bool json) {
  if (json) {
    std::cout << json_report(repository, report) << '\n';
  } else {
    print_for_people(repository, report, dry_run);
  }
  return exit_code(report);
}

}  // namespace repoupdate
