// SPDX-License-Identifier: Apache-2.0
// Checks a repository as it lies in its store. Changes nothing.
#pragma once

#include <cstddef>
#include <stop_token>
#include <vector>

#include "base/result.hpp"
#include "repodata/verify.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

// What puts right what was found.
enum class Repair {
  none,     // nothing is wrong, or it is about what is not made from the packages
  update,   // a comparison with the listing
  rebuild,  // of the metadata from the packages
  key,      // to configure one: nobody publishes beside a signature without
};

struct VerifyOutcome {
  std::size_t packages = 0;             // listed
  std::vector<VerifyProblem> problems;  // empty: the repository is sound
  // Packages that are not listed as they are because they cannot be, with the reason: that is known, and no problem.
  std::vector<VerifyProblem> quarantined;
  Repair repair = Repair::none;  // the strongest that one of them needs
};

// `read_packages`: compare every package's SHA-256 with its pkgid, by reading it unless the store vouches for it.
// While others publish it begins anew, a few times: problems are those of one repomd.xml. An Error when the store does
// not answer, or there is no repository.
Result<VerifyOutcome> verify(const Repository& repository, bool read_packages, std::stop_token stop);

}  // namespace repoupdate
