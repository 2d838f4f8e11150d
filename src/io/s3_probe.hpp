// SPDX-License-Identifier: Apache-2.0
// Finds out by trying what a store makes of conditional writes. Some ignore If-Match and If-None-Match without a word,
// some answer 501, some know an ETag only without the quotes that they send it with.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "io/s3_caller.hpp"
#include "model/store_abilities.hpp"

namespace repoupdate {

// How the store took one conditional write.
enum class ProbeAnswer { accepted, condition_failed, refused };

// What was seen of an object that did not exist, and from its first PUT on does. What was not tried is empty.
struct ProbeAnswers {
  ProbeAnswer create_absent = ProbeAnswer::refused;  // If-None-Match: * while there is none
  std::optional<ProbeAnswer> create_present;         // the same once it is there
  std::optional<ProbeAnswer> replace_other;          // If-Match of another ETag, in quotes
  std::optional<ProbeAnswer> replace_current;        // If-Match of its ETag as the store sends it
  std::optional<ProbeAnswer> replace_other_bare;     // the same two without quotes
  std::optional<ProbeAnswer> replace_current_bare;   //
  std::optional<ProbeAnswer> complete_present;       // If-None-Match: * at the end of a multipart upload
};

// The verdict. Honoured is only what accepted the right write and failed the wrong one.
StoreAbilities judge(const ProbeAnswers& answers);

// Tries it with `key`, of which no object may exist; some ten requests, and none is left behind unless removing it is
// not allowed, also when the caller is stopped. An Error when the store cannot be written to at all, or did not answer
// one of them: no verdict then.
Result<StoreAbilities> probe_store(const S3Caller& caller, const std::string& key);

}  // namespace repoupdate
