// SPDX-License-Identifier: Apache-2.0
// What the sources of credentials answer: the JSON object of containers, instances and processes, and what must not
// get from an answer into a message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

inline constexpr std::uint64_t k_max_credentials_answer = 64 << 10;  // bytes, of every source

// {"AccessKeyId": ..., "SecretAccessKey": ..., TOKEN_NAME: ..., "Expiration": ISO 8601}; the last two may be missing.
// ErrorKind::corrupt for anything else, unavailable for the "Code" of a failure. `source` stands in the message,
// nothing of the answer does.
Result<Credentials> parse_credentials_json(const std::string& body, const char* token_name, const std::string& source);

// What a file of a token holds, without the line's end; it may change, and is read for each use. Nothing when it cannot
// be read, is empty or larger than k_max_credentials_answer.
std::optional<std::string> read_token_file(const std::string& path);

// `text` with "***" in the place of `secret`: a service may repeat in its answer what it was sent.
std::string without_secret(std::string text, std::string_view secret);

}  // namespace repoupdate
