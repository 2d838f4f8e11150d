// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <stdlib.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <thread>

#include "createrepo_c.hpp"

namespace repoupdate::bench {
namespace {

std::string format(const char* pattern, double value) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), pattern, value);
  return text.data();
}

std::string seconds(double value) {
  return value < 0.1 ? format("%.1f ms", value * 1e3) : format("%.2f s", value);
}

std::string mebibytes(std::uint64_t bytes) {
  return format("%.0f", static_cast<double>(bytes) / (1 << 20));
}

std::string start_text(const Measurement& measurement) {
  return measurement.start == Start::warm ? "warm" : "cold";
}

std::string name_text(const Measurement& measurement, const Circumstances& circumstances) {
  std::string name(info(measurement.workload).name);
  if (!measurement.open_checksum && measurement.workload != Workload::churn) name += ", omit";
  if (measurement.file_system != circumstances.file_system) name += ", on " + measurement.file_system;
  return name;
}

std::string bars_text(const Measurement& measurement) {
  std::string text;
  for (const Bar& bar : measurement.bars)
    text.append(text.empty() ? "" : "; ").append(bar.what).append(bar.is_met ? ": met" : ": **missed**");
  return text;
}

using Row = std::vector<std::string>;

Row row_of(const Measurement& measurement, const Circumstances& circumstances) {
  const Cost& cost = measurement.cost;
  const auto& other = measurement.createrepo_c;
  Row row{name_text(measurement, circumstances),
          std::to_string(measurement.packages),
          std::string(name_of(measurement.compression)),
          start_text(measurement),
          seconds(cost.wall),
          seconds(cost.cpu),
          mebibytes(cost.peak_memory)};
  row.push_back(measurement.floor ? format("%.2f", cost.wall / *measurement.floor) : "");
  row.push_back(other ? seconds(other->wall) : "");
  row.push_back(other ? mebibytes(other->peak_memory) : "");
  row.push_back(other ? format("%.1f", times_faster(measurement)) : "");
  row.push_back(measurement.growth ? format("%+.1f %%", *measurement.growth * 100) : "");
  row.push_back(bars_text(measurement));
  return row;
}

std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (std::size_t number = 0; number < rows.size(); ++number) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string& cell = rows[number][i];
      text.append("| ").append(cell).append(widths[i] - cell.size() + 1, ' ');
    }
    text += "|\n";
    if (number > 0) continue;
    for (const std::size_t width : widths) text.append("|").append(width + 2, '-');
    text += "|\n";
  }
  return text;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

Json to_json(const Cost& cost) {
  return {{"wall", cost.wall}, {"cpu", cost.cpu}, {"peak_memory", cost.peak_memory}};
}

Json to_json(const Measurement& measurement) {
  Json json{{"workload", info(measurement.workload).name},     {"packages", measurement.packages},
            {"compression", name_of(measurement.compression)}, {"start", start_text(measurement)},
            {"open_checksum", measurement.open_checksum},      {"file_system", measurement.file_system},
            {"repetitions", measurement.repetitions},          {"repoupdate", to_json(measurement.cost)}};
  if (measurement.process_wall) json["process_wall"] = *measurement.process_wall;
  if (measurement.floor) json["floor"] = *measurement.floor;
  if (measurement.createrepo_c) json["createrepo_c"] = to_json(*measurement.createrepo_c);
  if (measurement.growth) json["growth"] = *measurement.growth;
  json["bars"] = Json::array();
  for (const Bar& bar : measurement.bars) json["bars"].push_back({{"bar", bar.what}, {"met", bar.is_met}});
  return json;
}

}  // namespace

Circumstances describe_machine() {
  Circumstances circumstances;
  circumstances.processor = processor_name();
  circumstances.cores = std::thread::hardware_concurrency();
  utsname system{};
  if (::uname(&system) == 0) circumstances.kernel = std::string(system.sysname) + ' ' + system.release;
  ::getloadavg(&circumstances.load, 1);
  circumstances.createrepo_c = createrepo_c_version();
  return circumstances;
}

std::string to_markdown(const Circumstances& circumstances, const std::vector<Measurement>& measurements) {
  std::vector<Row> rows{{"workload", "packages", "", "start", "wall", "CPU", "peak MiB", "x floor", "createrepo_c",
                         "its peak MiB", "x faster", "size", "bars"}};
  for (const auto& measurement : measurements) rows.push_back(row_of(measurement, circumstances));
  std::size_t bars = 0, met = 0;
  for (const auto& measurement : measurements)
    for (const Bar& bar : measurement.bars) ++bars, met += bar.is_met;
  std::string text = "`" + circumstances.command + "` took " + format("%.0f s", circumstances.seconds) + " on " +
                     circumstances.processor + ", " + std::to_string(circumstances.cores) + " cores, " +
                     circumstances.kernel + ", load " + format("%.2f", circumstances.load) + " before; files on " +
                     circumstances.file_system + "; createrepo_c " + circumstances.createrepo_c.value_or("not there") +
                     ".\n\n";
  return text + table(rows) + "\n" + std::to_string(met) + " of " + std::to_string(bars) + " bars are met.\n";
}

Json to_json(const Circumstances& circumstances, const std::vector<Measurement>& measurements) {
  Json json{{"command", circumstances.command},
            {"processor", circumstances.processor},
            {"cores", circumstances.cores},
            {"threads", circumstances.threads},
            {"kernel", circumstances.kernel},
            {"load", circumstances.load},
            {"file_system", circumstances.file_system},
            {"createrepo_c", circumstances.createrepo_c ? Json(*circumstances.createrepo_c) : Json()},
            {"seconds", circumstances.seconds},
            {"measurements", Json::array()}};
  for (const auto& measurement : measurements) json["measurements"].push_back(to_json(measurement));
  return json;
}

}  // namespace repoupdate::bench
