// SPDX-License-Identifier: Apache-2.0
#include "base/heap.hpp"

#ifdef REPOUPDATE_HAS_TCMALLOC
#include <gperftools/malloc_extension_c.h>
#endif

namespace repoupdate {

void return_memory_at_once() {
#ifdef REPOUPDATE_HAS_TCMALLOC
  MallocExtension_SetNumericProperty("tcmalloc.aggressive_memory_decommit", 1);
#endif
}

void return_thread_memory() {
#ifdef REPOUPDATE_HAS_TCMALLOC
  MallocExtension_MarkThreadIdle();
#endif
}

}  // namespace repoupdate
