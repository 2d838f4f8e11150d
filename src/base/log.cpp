// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <mutex>

#include "base/json_text.hpp"

namespace repoupdate {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Also keeps control characters of foreign keys out of text logs.
bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=') return true;
  return false;
}

}  // namespace

LogField::LogField(std::string_view field_name, double number) : name(field_name), is_number(true) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", number);
  value = text;
}

struct Log::State {
  mutable std::mutex mutex;  // guards logger against a reopen
  std::shared_ptr<spdlog::logger> logger;
  std::atomic<LogLevel> level = LogLevel::info;
  std::atomic<LogFormat> format = LogFormat::text;
};

Log::Log() : m_state(std::make_unique<State>()) {}
Log::~Log() = default;

Result<void> Log::open(const LogOptions& options) {
  std::shared_ptr<spdlog::logger> logger;
  try {
    spdlog::sink_ptr sink;
    if (options.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    }
    logger = std::make_shared<spdlog::logger>("repoupdate", std::move(sink));
  } catch (const spdlog::spdlog_ex& failure) {
    return Error{ErrorKind::io, "cannot open the log file " + options.file + ": " + failure.what(), {}};
  }
  logger->set_level(spdlog_level(options.level));
  logger->flush_on(spdlog::level::debug);
  const bool json = options.format == LogFormat::json;
  logger->set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                      spdlog::pattern_time_type::utc);
  const std::scoped_lock lock(m_state->mutex);
  m_state->logger = std::move(logger);
  m_state->level = options.level;
  m_state->format = options.format;
  return {};
}

bool Log::enabled(LogLevel level) const {
  return level >= m_state->level;
}

void Log::write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
  if (!enabled(level)) return;
  std::string line;
  if (m_state->format == LogFormat::json) {
    line += "\"message\":";
    line += json_string(valid_utf8(message));
    for (const auto& field : fields) {
      if (field.is_left_out) continue;
      line += ',';
      line += json_string(field.name);
      line += ':';
      line += field.is_number ? field.value : json_string(valid_utf8(field.value));
    }
  } else {
    line += message;
    for (const auto& field : fields) {
      if (field.is_left_out) continue;
      line += ' ';
      line += field.name;
      line += '=';
      line += needs_quotes(field.value) ? json_string(field.value) : field.value;
    }
  }
  const std::scoped_lock lock(m_state->mutex);
  if (m_state->logger) m_state->logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

void Log::debug(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::debug, message, fields);
}
void Log::info(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::info, message, fields);
}
void Log::warning(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::warning, message, fields);
}
void Log::error(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::error, message, fields);
}

}  // namespace repoupdate
