// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>

#include "model/nevra.hpp"

namespace repoupdate {

// Older, equal or newer by epoch, version and release as rpm orders them: numbers by value, letters by text,
// '~' before everything ("1.0~rc1" < "1.0"), '^' after the same without it ("1.0" < "1.0^git1" < "1.0.1").
// Different text can be equal ("1.01", "1.1"); name and arch are not looked at. Source: rpmvercmp() in librpm.
std::strong_ordering compare_evr(const Nevra& left, const Nevra& right);

}  // namespace repoupdate
