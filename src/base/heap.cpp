// SPDX-License-Identifier: Apache-2.0
#include "base/heap.hpp"

#include <malloc.h>

namespace repoupdate {

void return_large_buffers() {
#ifdef M_MMAP_THRESHOLD
  // Left alone, glibc raises its threshold to the largest buffer that was ever freed.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);  // the default for a fixed M_MMAP_THRESHOLD gives pages back at almost every free
  mallopt(M_TOP_PAD, 1 << 20);         // a heap that grows asks the system for more at once
#endif
}

}  // namespace repoupdate
