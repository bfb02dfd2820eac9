// SPDX-License-Identifier: Apache-2.0
/* For tests of libweft and of the reader: a directory of process files on tmpfs, and what a
 * reader finds in it, gathered into an array that is easy to ask. */
#ifndef WEFT_TESTS_SLAB_FIXTURE_H
#define WEFT_TESTS_SLAB_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ring/guard.h"
#include "lib/ring/slab_reader.h"

enum { SEEN_MAX = 20000 };

struct seen {
    struct slab_span span;
    bool open;
    uint32_t used;
    char payload[512]; /* as much of it as fits */
};

struct gathered {
    size_t count;
    struct seen *all;
};

static char fixture_directory[64];

/* Environment for libweft: small sizes, a fresh directory. */
static inline void fixture_begin(void)
{
    strcpy(fixture_directory, "/dev/shm/weft-test-XXXXXX");
    if (!mkdtemp(fixture_directory))
        abort();
    setenv("WEFT_DIR", fixture_directory, 1);
    guard_install();
}

static inline void fixture_end(void)
{
    DIR *d = opendir(fixture_directory);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(fixture_directory);
}

/* The nth process file, in the order of names; "" if there are fewer. */
static inline const char *fixture_file(int nth)
{
    static char name[256];
    struct dirent **entries;
    int n = scandir(fixture_directory, &entries, NULL, alphasort), found = 0;
    name[0] = '\0';
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.' && strstr(entries[i]->d_name, SLAB_SUFFIX) &&
            found++ == nth)
            snprintf(name, sizeof name, "%s", entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return name;
}

static inline struct slab_reader *fixture_open(const char *name, enum slab_error *error)
{
    int directory = open(fixture_directory, O_RDONLY | O_DIRECTORY);
    struct slab_reader *r = slab_reader_open(directory, name, error);
    close(directory);
    return r;
}

static inline void gather_visit(void *context, const struct slab_record *record)
{
    struct gathered *g = context;
    if (g->count == SEEN_MAX)
        abort();
    struct seen *s = &g->all[g->count++];
    memset(s, 0, sizeof *s);
    memcpy(&s->span, &record->span, sizeof s->span);
    s->open = record->open;
    s->used = record->used;
    memcpy(s->payload, record->payload,
           record->used < sizeof s->payload ? record->used : sizeof s->payload);
}

static inline struct gathered *gathered_create(void)
{
    struct gathered *g = calloc(1, sizeof *g);
    g->all = calloc(SEEN_MAX, sizeof *g->all);
    return g;
}

static inline void gathered_destroy(struct gathered *g)
{
    free(g->all);
    free(g);
}

/* All that has come into the rings since the last call. */
static inline enum slab_error gather_rings(struct slab_reader *r, struct gathered *g)
{
    bool more;
    return slab_sweep(r, gather_visit, g, SIZE_MAX, &more);
}

/* Whether the name number is `text`. */
static inline bool name_is(struct slab_reader *r, uint32_t number, const char *text)
{
    size_t length;
    const char *name = slab_name(r, number, &length);
    return name && strlen(text) == length && memcmp(name, text, length) == 0;
}

#endif
