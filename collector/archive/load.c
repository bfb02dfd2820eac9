// SPDX-License-Identifier: Apache-2.0
#include "collector/archive/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "collector/archive/round.h"
#include "lib/base/log.h"

enum { PATH_BYTES = 4096 };

struct loading {
    struct archive_entries *entries;
    const char *directory;
    int64_t dead_before_s;
    char (*gone)[ENTRY_FILE_BYTES]; /* what the index has in vain */
    size_t gone_count;
};

static void set_aside(const char *path)
{
    char other[PATH_BYTES + 16];
    snprintf(other, sizeof other, "%s.damaged", path);
    if (rename(path, other) == 0)
        LOG_WARN_EVERY("archive: %s is damaged, was set aside, and is begun anew", path);
    else
        LOG_WARN_EVERY("archive: %s is damaged: %s", path, strerror(errno));
}

static int note_gone(struct loading *l, const char *file)
{
    void *larger = realloc(l->gone, (l->gone_count + 1) * sizeof *l->gone);
    if (!larger)
        return -1;
    l->gone = larger;
    snprintf(l->gone[l->gone_count++], sizeof *l->gone, "%s", file);
    return 0;
}

static int on_entry(void *context, const char *file, bool is_raw, int64_t since_s,
                    const struct labels *labels)
{
    struct loading *l = context;
    char path[PATH_BYTES], expected[ENTRY_FILE_BYTES];
    archive_entry_file(labels, expected);
    snprintf(path, sizeof path, "%s/%s", l->directory, file);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return note_gone(l, file);
    int64_t last_s = round_last_s(path);
    if (strcmp(expected, file) != 0 || last_s < 0) {
        set_aside(path);
        return 0;
    }
    if (last_s < l->dead_before_s && unlink(path) == 0)
        return note_gone(l, file);
    return archive_entries_add(l->entries, labels, is_raw, since_s, last_s) ? 0 : -1;
}

int archive_load(struct archive_entries *entries, struct archive_index *index,
                 const char *directory, int64_t now_s)
{
    struct loading l = {
        .entries = entries, .directory = directory, .dead_before_s = now_s - round_longest_s()};
    int result = archive_index_each(index, on_entry, &l);
    for (size_t i = 0; i < l.gone_count; i++)
        archive_index_remove(index, l.gone[i]);
    if (l.gone_count > 0)
        LOG_INFO("archive: %zu series are gone: nothing of them is left", l.gone_count);
    free(l.gone);
    return result;
}
