// SPDX-License-Identifier: Apache-2.0
// What each measurement has to reach.
#pragma once

#include <vector>

#include "measurement.hpp"

namespace repoupdate::bench {

// Fills Measurement::bars. Those that compare measurements with each other are left out where one is missing, and so
// are those against createrepo_c where it was not measured.
void judge(std::vector<Measurement>& measurements);

}  // namespace repoupdate::bench
