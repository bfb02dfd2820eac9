// SPDX-License-Identifier: Apache-2.0
/* A process and all that descends from it, as far as its parents live. No state; any thread. */
#ifndef WEFT_PROC_TREE_H
#define WEFT_PROC_TREE_H

#include <stddef.h>
#include <stdint.h>

/* Fills `pids`, the process itself first; how many there are, `most` at most. */
size_t proc_tree(uint32_t pid, uint32_t *pids, size_t most);

#endif
