// SPDX-License-Identifier: Apache-2.0
/* The file by which `weft run` (its owner) tells the agent of a command: who it is, and then, one
 * record after the other, what became of it. docs/format/run.md describes the bytes.
 *
 *     0     +------------------+
 *           | struct run_file  |  written before the file gets its name, and never again
 *     4096  +------------------+
 *           | struct run_record|  appended, 64 bytes each, by one write(2) with O_APPEND
 *           | ...              |
 *
 * Owner and agent append; each append is whole or not there, as tmpfs writes under the file's
 * lock. So whatever is killed when, what stands in the file stands.
 *
 * No locks; any thread, one at a time for each file. */
#ifndef WEFT_RUN_RUN_FILE_H
#define WEFT_RUN_RUN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUN_MAGIC       0x314e555254464557u /* "WEFTRUN1" where little-endian */
#define RUN_VERSION     1
#define RUN_SUFFIX      ".run"
#define RUN_TEXT_MAX    256u
#define RUN_RECORDS_MAX 64u /* a reader reads no more of them */

enum { RUN_NAME_MAX = 96 };

struct run_file {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;
    uint32_t pid, supervisor; /* the command, and `weft run`; in their pid namespace */
    uint64_t pid_namespace;   /* inode of /proc/self/ns/pid */
    uint64_t start_time, supervisor_start_time; /* field 22 of /proc/PID/stat */
    uint8_t uuid[16];                           /* random */
    uint64_t start_unix_ns;
    uint8_t reserved[184];
    char host[RUN_TEXT_MAX], service[RUN_TEXT_MAX], version_name[RUN_TEXT_MAX], cell[RUN_TEXT_MAX];
    char command[1024]; /* cut off where it is longer */
    uint8_t reserved2[1792];
};

enum run_event {
    RUN_READY = 1,   /* it listens; how: enum run_listening, code: the port */
    RUN_ENDED = 2,   /* how: enum run_end */
    RUN_RECORDS = 3, /* the agent's: it links libweft, and its slab has this uuid */
};
enum run_listening { RUN_LISTENS_TCP = 0, RUN_LISTENS_UNIX = 1 };
enum run_end {
    RUN_EXITED = 0,      /* code: its status */
    RUN_KILLED = 1,      /* code: the signal */
    RUN_NOT_STARTED = 2, /* code: errno */
    RUN_UNSEEN = 3,      /* nobody was there to see it */
};
enum { RUN_CORE = 1, RUN_OUT_OF_MEMORY = 2, RUN_HAS_CPU = 4 };

struct run_record {
    uint32_t event, how, code, flags;
    uint64_t unix_ns;
    uint64_t user_ns, system_ns; /* RUN_HAS_CPU: of the command and all that it waited for */
    uint8_t uuid[16];
    uint64_t reserved;
};

_Static_assert(sizeof(struct run_file) == 4096, "run file");
_Static_assert(__builtin_offsetof(struct run_file, host) == 256, "run file");
_Static_assert(__builtin_offsetof(struct run_file, reserved2) == 2304, "run file");
_Static_assert(sizeof(struct run_record) == 64, "run file");

/* ---- writing ----------------------------------------------------------------------------- */

/* Makes the file, locked for as long as the descriptor is open: it tells who cannot see the pid
 * that its owner lives. The descriptor, or -1 with errno. */
int run_file_create(int directory, const struct run_file *f, char name[RUN_NAME_MAX]);
/* 0, or -1 with errno: then nothing was appended. */
int run_file_append(int fd, const struct run_record *r);

/* ---- reading ----------------------------------------------------------------------------- */

/* What the records say; of each event the first one counts. */
struct run_life {
    bool is_ready, has_ended, records;
    struct run_record ready, ended;
    uint8_t slab_uuid[16]; /* where it `records` */
};

/* The file's name is one of these. */
bool run_file_is_name(const char *name);
/* NULL, or what is wrong with it: not a run file, another version, texts without an end. Every text
 * of *f is terminated then. *system: the file could not be read, errno says why. */
const char *run_file_read(int fd, struct run_file *f, struct run_life *life, bool *system);
/* The records alone, of a file that was read before. */
bool run_file_read_life(int fd, struct run_life *life);

#endif
