// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace repoupdate {

// 16 hexadecimal digits from the system's source of randomness: names that nobody else uses at the same time.
std::string random_id();

}  // namespace repoupdate
