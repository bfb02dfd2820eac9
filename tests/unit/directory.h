// SPDX-License-Identifier: Apache-2.0
/* Directories that tests make and remove with all that is in them. */
#ifndef WEFT_TESTS_DIRECTORY_H
#define WEFT_TESTS_DIRECTORY_H

#include <ftw.h>
#include <stdio.h>

static inline int directory_remove_entry(const char *path, const struct stat *st, int type,
                                         struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

/* 0, or -1. */
static inline int directory_remove(const char *path)
{
    return nftw(path, directory_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
