// SPDX-License-Identifier: Apache-2.0
// Names as in "Process metrics", Prometheus's guide to writing client libraries. Source: proc(5), getrusage(2).
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "app/daemon_metrics.hpp"
#include "base/version.hpp"

namespace repoupdate {
namespace {

// The fields of /proc/self/stat behind the program's name, which may hold anything; [0] is the third of the manual.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text(std::istreambuf_iterator<char>(file), {});
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

double number(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::optional<double> open_descriptors() {
  std::error_code failure;
  double count = 0;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", failure); !failure; entry.increment(failure)) {
    if (entry == std::filesystem::directory_iterator{}) return count - 1;  // without the one that reads the directory
    ++count;
  }
  return std::nullopt;
}

}  // namespace

void sample_process(MetricTable& table) {
  rusage used{};  // in microseconds; the fields of proc(5) are in ticks, and zero in a daemon that has just begun
  if (::getrusage(RUSAGE_SELF, &used) == 0)
    table.counter_elsewhere({"process_cpu_seconds_total", "Processor time, user and system."})
        .set(seconds(used.ru_utime) + seconds(used.ru_stime));
  constexpr std::size_t k_threads = 17, k_virtual = 20, k_resident = 21;
  if (const auto fields = stat_fields(); fields.size() > k_resident) {
    table.gauge({"process_threads", "Threads of the process."}).set(number(fields[k_threads]));
    table.gauge({"process_virtual_memory_bytes", "Virtual memory."}).set(number(fields[k_virtual]));
    table.gauge({"process_resident_memory_bytes", "Resident memory."})
        .set(number(fields[k_resident]) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  if (const auto open = open_descriptors()) table.gauge({"process_open_fds", "Open file descriptors."}).set(*open);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    table.gauge({"process_max_fds", "Most file descriptors that may be open."})
        .set(static_cast<double>(limit.rlim_cur));
}

void describe_process(MetricTable& table, const Clock& clock) {
  table.gauge({"repoupdate_build_info", "1; the labels say what runs."}, {{"version", std::string(k_version)}}).set(1);
  table.gauge({"process_start_time_seconds", "When the process started."})
      .set(std::chrono::duration<double>(clock.now_exactly().time_since_epoch()).count());
}

}  // namespace repoupdate
