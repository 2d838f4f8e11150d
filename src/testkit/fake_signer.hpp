// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "model/signer.hpp"

namespace repoupdate {

// Signs with a line for each key: its name and the SHA-256 of the bytes.
class FakeSigner final : public Signer {
public:
  explicit FakeSigner(std::vector<std::string> keys = {"one"});

  // Called before each signature, without a lock held: a place to change the world, or to fail.
  std::function<Result<void>()> before;

  int signatures() const;  // made so far

  Result<std::string> sign(std::string_view bytes, std::stop_token stop) override;
  Result<void> check(std::string_view bytes, std::string_view signature) override;
  const std::string& public_keys() const override { return m_public_keys; }
  std::optional<KeyExpiry> next_expiry() const override { return {}; }

private:
  const std::vector<std::string> m_keys;
  std::string m_public_keys;
  mutable std::mutex m_mutex;
  int m_signatures = 0;
};

}  // namespace repoupdate
