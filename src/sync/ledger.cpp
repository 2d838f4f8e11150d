// SPDX-License-Identifier: Apache-2.0
#include "sync/ledger.hpp"

namespace repoupdate {

void Ledger::open(const Receipt& receipt, const std::vector<Target>& targets) {
  const std::scoped_lock lock(m_mutex);
  Message& message = m_messages[{receipt.source, receipt.message_id}];
  message.receipt = receipt;
  message.waits_for.insert(targets.begin(), targets.end());
}

std::vector<Receipt> Ledger::settle(std::span<const Receipt> receipts, const Target& target, bool succeeded) {
  std::vector<Receipt> done;
  const std::scoped_lock lock(m_mutex);
  for (const auto& receipt : receipts) {
    const auto found = m_messages.find({receipt.source, receipt.message_id});
    if (found == m_messages.end()) continue;
    Message& message = found->second;
    message.failed = message.failed || !succeeded;
    message.waits_for.erase(target);
    if (!message.waits_for.empty()) continue;
    if (!message.failed) done.push_back(message.receipt);
    m_messages.erase(found);
  }
  return done;
}

std::vector<Receipt> Ledger::open_messages(const std::string& source) const {
  const std::scoped_lock lock(m_mutex);
  std::vector<Receipt> receipts;
  for (auto next = m_messages.lower_bound({source, ""}); next != m_messages.end() && next->first.first == source;
       ++next)
    receipts.push_back(next->second.receipt);
  return receipts;
}

}  // namespace repoupdate
