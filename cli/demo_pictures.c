// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_pictures.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/api.h"
#include "lib/base/buffer.h"

#define SERVED "span_kind=~\"SPAN_KIND_(SERVER|CONSUMER)\""

static const struct graph {
    const char *name, *title, *unit, *query, *more;
} graphs[] = {
    {"requests", "Requests per second by service", "requests/s",
     "sum by (service_name) (rate(traces_span_metrics_calls_total{" SERVED "}[10s]))", "&stack=1"},
    {"latency", "Latency of the cells", "seconds",
     "sum(rate(traces_span_metrics_duration_seconds{" SERVED ",service_name=\"cell\"}[10s]))",
     "&percentiles=50,90,99&service=cell"},
};

enum { STEPS = 600, RATE_S = 10, PATH_BYTES = 4096 };

static void graph_path(const struct graph *g, const char *kind, const char *theme, int64_t start_s,
                       int64_t end_s, char *path, size_t size)
{
    int64_t step_s = (end_s - start_s) / STEPS + 1;
    snprintf(path, size, "/graph.%s?theme=%s&start=%" PRId64 "&end=%" PRId64 "&step=%" PRId64 "%s",
             kind, theme, start_s, end_s, step_s, g->more);
    strncat(path, "&title=", size - strlen(path) - 1);
    api_escape(path, size, g->title);
    strncat(path, "&unit=", size - strlen(path) - 1);
    api_escape(path, size, g->unit);
    strncat(path, "&query=", size - strlen(path) - 1);
    api_escape(path, size, g->query);
}

/* As it came; a picture of the kind, in which the deploy is written where it is an SVG. */
static bool is_sound(const struct buffer *picture, const char *kind, const char **why)
{
    bool is_svg = strcmp(kind, "svg") == 0;
    *why = "the collector's answer is none";
    if (!is_svg)
        return picture->length > 8 && memcmp(picture->data, "\x89PNG\r\n\x1a\n", 8) == 0;
    if (!memmem(picture->data, picture->length, "</svg>", 6))
        return false;
    *why = "the deploy of " WORLD_SLOWER_VERSION " is not on it";
    static const char label[] = ">cell " WORLD_SLOWER_VERSION;
    return memmem(picture->data, picture->length, label, sizeof label - 1) != NULL;
}

static bool write_file(const char *file, const struct buffer *picture)
{
    FILE *f = fopen(file, "we");
    bool written = f && fwrite(picture->data, 1, picture->length, f) == picture->length;
    return f && fclose(f) == 0 && written;
}

static bool take_picture(const struct world *w, const struct graph *g, const char *directory,
                         const char *kind, const char *theme, int64_t start_s, int64_t end_s)
{
    char path[PATH_BYTES], file[PATH_BYTES], said[512] = "";
    const char *why = said;
    struct buffer picture = {0};
    graph_path(g, kind, theme, start_s, end_s, path, sizeof path);
    snprintf(file, sizeof file, "%s/%s-%s.%s", directory, g->name, theme, kind);
    bool sound = api_get_bytes(w->url, path, &picture, said, sizeof said) == 0 &&
                 is_sound(&picture, kind, &why);
    if (sound && !write_file(file, &picture)) {
        sound = false;
        why = strerror(errno);
    }
    if (!sound)
        printf("\nNo picture %s: %s\n", file, why);
    else if (strcmp(kind, "png") == 0 && strcmp(theme, "light") == 0)
        printf("    %s%s\n", w->url, path);
    buffer_fini(&picture);
    return sound;
}

int demo_pictures(const struct world *w, const char *directory, int64_t start_s, int64_t end_s)
{
    char fresh[] = "/tmp/weft-demo-graphs-XXXXXX";
    bool made = directory ? mkdir(directory, 0777) == 0 || errno == EEXIST : mkdtemp(fresh) != NULL;
    directory = directory ? directory : fresh;
    if (!made) {
        printf("\nNo pictures: %s: %s\n", directory, strerror(errno));
        return 1;
    }
    bool sound = true;
    if (end_s - start_s > 4 * RATE_S)
        start_s += RATE_S + 1; /* the rates are whole from there */
    printf("  graphs              %s/{requests,latency}-{light,dark}.png and .svg, from\n",
           directory);
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++)
        for (int k = 0; k < 4; k++)
            sound = take_picture(w, &graphs[i], directory, k & 2 ? "svg" : "png",
                                 k & 1 ? "dark" : "light", start_s, end_s) &&
                    sound;
    return sound ? 0 : 1;
}
