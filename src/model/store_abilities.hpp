// SPDX-License-Identifier: Apache-2.0
// What a store makes of the conditions of a PUT: not every store that speaks S3's protocol knows them.
#pragma once

#include <string_view>

namespace repoupdate {

enum class Condition {
  honoured,   // what must not be written is not written
  ignored,    // written all the same, without a word
  refused,    // a request with the condition is an error: 501, 400
  never_met,  // every write with it fails, also the right one
};

std::string_view to_string(Condition condition);

struct StoreAbilities {
  Condition create = Condition::honoured;      // If-None-Match: *
  Condition replace = Condition::honoured;     // If-Match
  bool bare_etags = false;                     // If-Match takes the ETag only without its quotes
  Condition completion = Condition::honoured;  // If-None-Match: * at the end of a multipart upload

  bool operator==(const StoreAbilities&) const = default;

  // A pointer can be replaced without losing what somebody else wrote. Else writers have to take turns.
  bool has_compare_and_swap() const { return create == Condition::honoured && replace == Condition::honoured; }
};

}  // namespace repoupdate
