// SPDX-License-Identifier: Apache-2.0
// Log lines as an event name with fields, to standard error or a file, as text or as JSON lines.
// Rooms sync and app log, once per failure; io logs at debug; the others never.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace repoupdate {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

struct LogOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  std::string file;  // empty: standard error
};

struct LogField {
  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, std::uint64_t number)
      : name(field_name), value(std::to_string(number)), is_number(true) {}
  LogField(std::string_view field_name, int number)
      : name(field_name), value(std::to_string(number)), is_number(true) {}
  LogField(std::string_view field_name, double number);
  // Left out of the line when it is empty.
  static LogField if_any(std::string_view field_name, const std::string& text) {
    LogField field(field_name, text);
    field.is_left_out = text.empty();
    return field;
  }

  std::string_view name;
  std::string value;
  bool is_number = false;
  bool is_left_out = false;
};

// Owned by app and passed by reference. Thread-safe. A default-constructed Log drops everything.
class Log {
public:
  Log();
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Opens the destination, making the directories above a file; may be called again (SIGHUP) to reopen a rotated one.
  Result<void> open(const LogOptions& options);

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const;

  bool enabled(LogLevel level) const;

private:
  struct State;
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
