// SPDX-License-Identifier: Apache-2.0
/* Names to numbers, once per process file. Internal to libweft. */
#ifndef WEFT_CLIENT_NAMES_H
#define WEFT_CLIENT_NAMES_H

#include "client/process.h"

/* The number that `name` has in p's file, interning it first if need be. 0: no name (NULL, or
 * the table is full, which is counted). */
uint32_t names_intern(struct process *p, struct weft_name *name);

/* A handle's `id` holds the file's generation above the number; another generation's is void. */
static inline uint32_t names_number(struct process *p, struct weft_name *name)
{
    if (!name)
        return 0;
    uint64_t id = __atomic_load_n(&name->id, __ATOMIC_RELAXED);
    return __builtin_expect(id >> 32 == p->generation, 1) ? (uint32_t)id : names_intern(p, name);
}

/* For process.c, holding the process lock: the number of a text in a file that nobody else
 * writes yet. */
uint32_t names_add_locked(struct process *p, const char *text, size_t length);
/* Forgets all texts: a new file begins. Holding the process lock. */
void names_reset_locked(void);

#endif
