// SPDX-License-Identifier: Apache-2.0
/* A directory of slabs for this process alone, and a reader of its own file, in place of an agent.
 */
#ifndef WEFT_BENCH_SLABS_H
#define WEFT_BENCH_SLABS_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ring/guard.h"
#include "lib/ring/slab_reader.h"

#define SLABS_DIRECTORY "/dev/shm/weft-bench-XXXXXX"

/* Makes the directory of SLABS_DIRECTORY's name, before anything is recorded. */
static inline void slabs_make(char *directory)
{
    if (!mkdtemp(directory)) {
        perror(directory);
        exit(1);
    }
    setenv("WEFT_DIR", directory, 1);
    guard_install();
}

/* The file that this process made by recording something; tells it how fast the clock runs. */
static inline struct slab_reader *slabs_open(const char *directory)
{
    struct slab_reader *reader = NULL;
    enum slab_error error = SLAB_EFORMAT;
    int fd = open(directory, O_RDONLY | O_DIRECTORY);
    DIR *d = opendir(directory);
    for (struct dirent *e; d && fd >= 0 && (e = readdir(d));)
        if (e->d_name[0] != '.' && strstr(e->d_name, SLAB_SUFFIX))
            reader = slab_reader_open(fd, e->d_name, &error);
    if (!reader) {
        fprintf(stderr, "no slab in %s: %s\n", directory, slab_error_text(error));
        exit(1);
    }
    closedir(d);
    close(fd);
    slab_set_clock(reader, 1, 1, 1u << 31);
    return reader;
}

static inline void slabs_remove(const char *directory)
{
    DIR *d = opendir(directory);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(directory);
}

#endif
