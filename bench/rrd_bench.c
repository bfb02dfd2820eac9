// SPDX-License-Identifier: Apache-2.0
/* How many samples a second the archive's files take, one by one and gathered, over many files.
 * Each write is one that can be undone, as the archive does it. */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "collector/archive/round.h"
#include "collector/archive/undo.h"

enum { FILES = 64, STEPS = 720 };
static const int gathered[] = {1, 6, 60, 360};

/* In the working directory. */
static int write_all(int at_once, double *wall_ns, double *cpu_ns)
{
    static struct round_sample list[STEPS];
    static int64_t last_s[FILES];
    char path[64], why[300] = "its head cannot be noted";
    struct archive_undo undo;
    archive_undo_open(&undo, ".");
    const int64_t begin_s = 1763761200;
    for (int i = 0; i < STEPS; i++)
        list[i] = (struct round_sample){begin_s + (i + 1) * ROUND_STEP_S, i % 97};
    for (int f = 0; f < FILES; f++) {
        snprintf(path, sizeof path, "%d-%d.rrd", at_once, f);
        last_s[f] = begin_s;
        if (round_create(path, begin_s, why, sizeof why) != 0)
            goto fail;
    }
    *wall_ns = -measure_wall_ns();
    *cpu_ns = -measure_cpu_ns();
    for (int i = 0; i < STEPS; i += at_once)
        for (int f = 0; f < FILES; f++) {
            snprintf(path, sizeof path, "%d-%d.rrd", at_once, f);
            if (archive_undo_begin(&undo, path) != 0 ||
                round_write(path, list + i, (size_t)at_once, &last_s[f], why, sizeof why) != 0)
                goto fail;
            archive_undo_end(&undo);
        }
    *wall_ns += measure_wall_ns();
    *cpu_ns += measure_cpu_ns();
    archive_undo_close(&undo);
    return 0;
fail:
    fprintf(stderr, "%s\n", why);
    archive_undo_close(&undo);
    return -1;
}

static void clear(void)
{
    DIR *d = opendir(".");
    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
}

int main(void)
{
    char directory[4096];
    const char *base = getenv("TMPDIR");
    double first = 0;
    int result = 0;
    int length = snprintf(directory, sizeof directory, "%s/weft-rrd-XXXXXX", base ? base : "/tmp");
    if (length >= (int)sizeof directory || !mkdtemp(directory) || chdir(directory) != 0)
        return 1;
    printf("RRD updates, %d files\n%12s %14s %14s %8s\n", FILES, "per call", "samples/s",
           "per CPU s", "ratio");
    for (size_t i = 0; i < sizeof gathered / sizeof *gathered && result == 0; i++) {
        double wall_ns = 0, cpu_ns = 0, samples = (double)FILES * STEPS;
        result = write_all(gathered[i], &wall_ns, &cpu_ns);
        clear();
        if (result != 0)
            break;
        double rate = samples / wall_ns * 1e9;
        first = first > 0 ? first : rate;
        printf("%12d %14.0f %14.0f %7.1fx\n", gathered[i], rate, samples / cpu_ns * 1e9,
               rate / first);
    }
    rmdir(directory);
    return result == 0 ? 0 : 1;
}
