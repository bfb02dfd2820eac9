// SPDX-License-Identifier: Apache-2.0
/* Any bytes as what the kernel tells, parts of which processes choose: /proc/PID/stat, the tables
 * of sockets, control groups and mounts. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/cgroup.h"
#include "lib/proc/sockets.h"
#include "lib/proc/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_sockets(const char *file, const char *text)
{
    struct proc_sockets s = {0};
    proc_sockets_add(&s, file, text);
    proc_sockets_sort(&s);
    for (size_t i = 0; i < s.count; i++)
        if (s.list[i].kind >= PROC_SOCKET_KINDS || !proc_sockets_find(&s, s.list[i].inode))
            abort();
    proc_sockets_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const files[] = {"tcp", "tcp6", "udp", "unix"};
    char path[CGROUP_PATH_MAX], unit[CGROUP_UNIT_MAX];
    struct proc_stat stat;
    bool first_version;
    if (size == 0)
        return 0;
    char *text = strndup((const char *)data + 1, size - 1);
    if (!text)
        return 0;
    const char *half = text + strlen(text) / 2;
    switch (data[0] % 8) {
    case 0:
        if (proc_stat_parse(text, &stat) && strlen(stat.name) >= sizeof stat.name)
            abort();
        break;
    case 1:
        if (cgroup_unit(text, unit) && strlen(unit) < strlen(".scope") + 1)
            abort();
        break;
    case 2:
    case 3:
        cgroup_memory_directory(text, half, &first_version, path);
        break;
    default:
        read_sockets(files[data[0] % 4], text);
    }
    free(text);
    return 0;
}
