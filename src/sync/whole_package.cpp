// SPDX-License-Identifier: Apache-2.0
#include "sync/whole_package.hpp"

namespace repoupdate {

Result<void> WholePackage::take(std::string_view bytes) {
  m_sha256.update(bytes);
  if (m_payload) m_payload->update(bytes);
  m_seen += bytes.size();
  if (m_head.size() >= m_wanted) return {};
  m_head += bytes;
  if (m_head.size() < m_wanted) return {};
  const auto probe = probe_header(m_head, m_size);
  if (!probe) return probe.error();
  m_range = probe->range;
  m_wanted = probe->need;
  if (m_checks_payload && probe->complete(m_head.size())) m_payload.emplace(m_head, *m_range);
  return {};
}

}  // namespace repoupdate
