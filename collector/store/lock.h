// SPDX-License-Identifier: Apache-2.0
/* The lock of a store's head: questions read, one thread writes. */
#ifndef WEFT_COLLECTOR_STORE_LOCK_H
#define WEFT_COLLECTOR_STORE_LOCK_H

#include <pthread.h>

/* The writer goes first: questions come in crowds, and it must not wait for a gap between them.
 * So nobody may take it for reading twice. 0 or -1. */
int store_lock_init(pthread_rwlock_t *lock);

#endif
