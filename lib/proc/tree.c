// SPDX-License-Identifier: Apache-2.0
#include "lib/proc/tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/proc/stat.h"

/* What one thread forked: numbers with spaces. */
static size_t add_children(uint32_t pid, const char *thread, uint32_t *pids, size_t count,
                           size_t most)
{
    char file[64], text[16384];
    snprintf(file, sizeof file, "task/%.20s/children", thread);
    if (!proc_read_text(pid, file, text, sizeof text))
        return count;
    char *at = text, *end;
    for (unsigned long child; count < most && (child = strtoul(at, &end, 10)) && end != at;
         at = end)
        pids[count++] = (uint32_t)child;
    return count;
}

size_t proc_tree(uint32_t pid, uint32_t *pids, size_t most)
{
    size_t count = 0;
    if (most)
        pids[count++] = pid;
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%u/task", pids[i]);
        DIR *d = opendir(path);
        for (struct dirent *e; d && count < most && (e = readdir(d));)
            if (e->d_name[0] != '.')
                count = add_children(pids[i], e->d_name, pids, count, most);
        if (d)
            closedir(d);
    }
    return count;
}
