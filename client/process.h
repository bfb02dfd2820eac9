// SPDX-License-Identifier: Apache-2.0
/* The recording process: its file, its identity, its threads' slabs. Internal to libweft.
 *
 * There is one `struct process` at a time. It is made at the first span, again in a forked child
 * and again when its file was retired or removed; the old one's memory stays mapped (a thread
 * may be in the middle of it), threads move over at their next begin.
 */
#ifndef WEFT_CLIENT_PROCESS_H
#define WEFT_CLIENT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/model/loss.h"
#include "lib/ring/bell.h"
#include "lib/ring/slab.h"
#include "weft/weft.h"

struct recorder;
struct slab_stats;
struct slab_chunk;

/* The owner's side of the file's statistics; under the process lock. */
struct process_stats {
    struct slab_stats *header;      /* NULL: the file has none */
    bool off;                       /* as the service wants it */
    uint64_t instruments_allocated; /* bytes of the table that have their memory */
    uint32_t instrument_count, description_count;
    struct slab_chunk *shared; /* with the cells that belong to no thread; NULL: none yet */
};

struct process {
    char *base; /* of the mapping: [0, threads_offset) and each slab that exists */
    struct slab_file *file;
    struct slab_control *control;
    struct slab_reader_word *readers;
    int fd;       /* holds the file's lock; -1 where we have none any more */
    dev_t device; /* what `fd` is, as long as nobody has closed it under us */
    ino_t inode;
    char directory[BELL_PATH_MAX + 1]; /* cut off where it is too long for a bell */
    uint32_t generation; /* 1, 2, 3 …: which process file; names are numbered per file */
    enum slab_clock clock;
    uint32_t slot_count, slot_bytes, payload_bytes, ring_bytes, thread_capacity;
    uint64_t thread_bytes;
    size_t mapping_bytes;
    uint32_t name_count;
    struct recorder *recorders; /* [thread_capacity], private memory */
    _Atomic uint32_t recorder_count;
    struct process_stats stats;
};

/* The current one, or NULL. A thread compares it with its recorder's at each begin. */
extern struct process *_Atomic process_current __attribute__((visibility("hidden")));

/* The current process, made if there is none and a second has passed since the last try. NULL
 * when it cannot be had. May make system calls; never waits for anybody but a thread that does
 * the same. */
struct process *process_get(void);

/* The same, but for a file that the agent retired: one that somebody reads, or NULL. */
struct process *process_in_use(void);

/* Whether this process was told to record nothing (WEFT_OFF). */
bool process_is_off(void);

/* Called where something was found wrong (ring full, no thread slab, recording word not 0):
 * replaces the process file if the agent retired it, if it has vanished from its directory, or if
 * its descriptor is not ours any more. Looks at most once a second. */
void process_check(struct process *p);

/* Whether `fd` is our file still: a service may close every descriptor (closefrom) and be given
 * the same number for a file of its own, which is none of our business. Holding the lock. */
bool process_owns_file(const struct process *p);

/* Takes room in a process file, all or nothing. */
bool process_allocate(int fd, uint64_t offset, uint64_t bytes);

/* Counts what was lost outside any slab; p may be NULL. */
void process_lost(struct process *p, enum loss_reason reason);

/* One mutex for everything slow in libweft; recursive use is a bug. Reset in a forked child. */
void process_lock(void);
void process_unlock(void);

#endif
