// SPDX-License-Identifier: Apache-2.0
/* What the archive's tests share: a directory of their own, and one series' samples. */
#ifndef WEFT_TESTS_ARCHIVE_DIRECTORY_H
#define WEFT_TESTS_ARCHIVE_DIRECTORY_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BASE_S INT64_C(1763761200) /* a full hour */

static inline void directory_make(char path[64])
{
    snprintf(path, 64, "/tmp/weft-archive-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static inline size_t directory_count(const char *path, const char *suffix)
{
    size_t count = 0;
    DIR *d = opendir(path);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name), length = strlen(suffix);
        count += n >= length && strcmp(e->d_name + n - length, suffix) == 0;
    }
    closedir(d);
    return count;
}

static inline void directory_remove(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(path);
}

#endif
