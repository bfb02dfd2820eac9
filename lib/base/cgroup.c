// SPDX-License-Identifier: Apache-2.0
#include "lib/base/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS_MAX = 16384, MOUNTS_MAX = 256 << 10 };

/* The next line; NULL: there is none. */
static const char *line_behind(const char *text)
{
    const char *end = strchr(text, '\n');
    return end ? end + 1 : NULL;
}

/* ---- the unit ---------------------------------------------------------------------------- */

static bool ends_with(const char *text, size_t length, const char *suffix)
{
    size_t n = strlen(suffix);
    return length > n && memcmp(text + length - n, suffix, n) == 0;
}

/* The path of a line "ID:CONTROLLERS:PATH" of the hierarchy that systemd arranges. */
static const char *arranged_path(const char *line)
{
    if (strncmp(line, "0::", 3) == 0)
        return line + 3;
    const char *name = strstr(line, ":name=systemd:"), *end = strchr(line, '\n');
    return name && (!end || name < end) ? name + strlen(":name=systemd:") : NULL;
}

static bool innermost_unit(const char *path, char unit[CGROUP_UNIT_MAX])
{
    bool found = false;
    for (const char *at = path; *at && *at != '\n';) {
        size_t length = strcspn(at, "/\n");
        if ((ends_with(at, length, ".service") || ends_with(at, length, ".scope")) &&
            length < CGROUP_UNIT_MAX) {
            memcpy(unit, at, length);
            unit[length] = '\0';
            found = true;
        }
        at += length;
        at += *at == '/';
    }
    return found;
}

bool cgroup_unit(const char *text, char unit[CGROUP_UNIT_MAX])
{
    while (text && *text) {
        const char *path = arranged_path(text);
        if (path && innermost_unit(path, unit))
            return true;
        text = line_behind(text);
    }
    return false;
}

/* ---- memory ------------------------------------------------------------------------------ */

/* Whether the list, with commas, has the word. */
static bool has_word(const char *list, size_t length, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list, *end = list + length; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t part = (size_t)((comma ? comma : end) - at);
        if (part == n && memcmp(at, word, n) == 0)
            return true;
        at += part + 1;
    }
    return false;
}

/* Where the group lies: with `controller`, in the hierarchy that has it; else in version 2's. */
static bool group_path(const char *groups, const char *controller, char *out, size_t size)
{
    for (const char *line = groups; line && *line;) {
        const char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;
        if (!path)
            return false;
        size_t length = strcspn(path + 1, "\n"), words = (size_t)(path - list - 1);
        bool is_it = controller ? has_word(list + 1, words, controller) : words == 0;
        if (is_it && length < size) {
            memcpy(out, path + 1, length);
            out[length] = '\0';
            return true;
        }
        line = line_behind(line);
    }
    return false;
}

/* The mount of that hierarchy, and which of its groups is the mount's root. */
static bool find_mount(const char *mounts, bool first_version, char root[1024], char point[1024])
{
    char type[32], options[1024], line[4096];
    for (const char *at = mounts, *end; *at; at = *end ? end + 1 : end) {
        end = strchrnul(at, '\n');
        /* A copy: sscanf looks for the end of all that is behind. */
        size_t length = (size_t)(end - at) < sizeof line ? (size_t)(end - at) : sizeof line - 1;
        memcpy(line, at, length);
        line[length] = '\0';
        const char *dash = strstr(line, " - ");
        if (dash && sscanf(line, "%*s %*s %*s %1023s %1023s", root, point) == 2 &&
            sscanf(dash, " - %31s %*s %1023s", type, options) == 2 &&
            (first_version
                 ? strcmp(type, "cgroup") == 0 && has_word(options, strlen(options), "memory")
                 : strcmp(type, "cgroup2") == 0))
            return true;
    }
    return false;
}

static bool directory_of(const char *groups, const char *mounts, bool first_version,
                         char path[CGROUP_PATH_MAX])
{
    char group[1024], root[1024], point[1024];
    if (!group_path(groups, first_version ? "memory" : NULL, group, sizeof group) ||
        !find_mount(mounts, first_version, root, point))
        return false;
    size_t above = strcmp(root, "/") == 0 ? 0 : strlen(root);
    bool is_below = strncmp(group, root, above) == 0 && (group[above] == '/' || !group[above]);
    const char *below = is_below ? group + above : group;
    snprintf(path, CGROUP_PATH_MAX, "%s%s", point, strcmp(below, "/") == 0 ? "" : below);
    return true;
}

bool cgroup_memory_directory(const char *groups, const char *mounts, bool *first_version,
                             char path[CGROUP_PATH_MAX])
{
    *first_version = directory_of(groups, mounts, true, path);
    return *first_version || directory_of(groups, mounts, false, path);
}

static bool read_text(const char *path, char *text, size_t size)
{
    size_t used = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    for (ssize_t n; used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    close(fd);
    text[used] = '\0';
    return used > 0;
}

static bool is_readable(char path[CGROUP_PATH_MAX], size_t directory, const char *file)
{
    snprintf(path + directory, CGROUP_PATH_MAX - directory, "/%s", file);
    return access(path, R_OK) == 0;
}

bool cgroup_find_kills(uint32_t pid, char path[CGROUP_PATH_MAX])
{
    char name[64], groups[GROUPS_MAX];
    bool first_version = false, found = false;
    char *mounts = malloc(MOUNTS_MAX);
    snprintf(name, sizeof name, "/proc/%u/cgroup", pid);
    if (mounts && read_text(name, groups, sizeof groups) &&
        read_text("/proc/self/mountinfo", mounts, MOUNTS_MAX) &&
        cgroup_memory_directory(groups, mounts, &first_version, path)) {
        size_t length = strlen(path);
        found = first_version ? is_readable(path, length, "memory.oom_control")
                              : is_readable(path, length, "memory.events.local") ||
                                    is_readable(path, length, "memory.events");
    }
    free(mounts);
    return found;
}

uint64_t cgroup_count_kills(const char *path)
{
    char text[1024];
    if (!read_text(path, text, sizeof text))
        return 0;
    const char *at = strstr(text, "oom_kill ");
    return at ? strtoull(at + strlen("oom_kill "), NULL, 10) : 0;
}
