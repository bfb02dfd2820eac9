// SPDX-License-Identifier: Apache-2.0
/* How many files a daemon may have open: an agent has two for each process of its host, a
 * collector two for each agent, and 1,024, the usual soft limit, is soon reached. */
#ifndef WEFT_BASE_DESCRIPTORS_H
#define WEFT_BASE_DESCRIPTORS_H

#include <sys/resource.h>

/* Raises the soft limit to the hard one (1,048,576 at most, as some programs' tables grow with
 * it). Returns what it is then. */
static inline unsigned long descriptors_raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    rlim_t most = limit.rlim_max < 1048576 ? limit.rlim_max : 1048576;
    if (limit.rlim_cur < most) {
        limit.rlim_cur = most;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            getrlimit(RLIMIT_NOFILE, &limit);
    }
    return (unsigned long)limit.rlim_cur;
}

#endif
