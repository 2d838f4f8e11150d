// SPDX-License-Identifier: Apache-2.0
#include "model/store_abilities.hpp"

namespace repoupdate {

std::string_view to_string(Condition condition) {
  switch (condition) {
    case Condition::honoured: return "honoured";
    case Condition::ignored: return "ignored";
    case Condition::refused: return "refused";
    case Condition::never_met: return "never met";
  }
  return "";
}

}  // namespace repoupdate
