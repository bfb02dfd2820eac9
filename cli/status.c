// SPDX-License-Identifier: Apache-2.0
/* `weft status` and `weft recording`: the pipeline, and its switch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/show.h"

static void print_segments(const json_t *segments)
{
    const char *state = api_text(segments, "state");
    bool well = strcmp(state, "ok") == 0;
    size_t i;
    json_t *damage;
    printf("  traces    %lld spans in %lld segments, %s of %s  %s%s %s%s\n",
           api_number(segments, "spans"), api_number(segments, "count"),
           show_bytes((double)api_number(segments, "bytes")),
           show_bytes((double)api_number(segments, "limit_bytes")),
           show_begin(well ? SHOW_GREEN : SHOW_RED), state, api_text(segments, "error"),
           show_end());
    json_array_foreach(json_object_get(segments, "damaged"), i, damage)
        printf("            %s%s: %s%s\n", show_begin(SHOW_RED), api_text(damage, "file"),
               api_text(damage, "why"), show_end());
}

static void print_series(const json_t *series)
{
    const char *state = api_text(series, "state");
    bool well = strcmp(state, "ok") == 0;
    long long refused = api_number(json_object_get(series, "refused"), "series_limit");
    size_t i;
    json_t *damage;
    printf("  series    %lld of %lld live, %lld samples in %lld blocks, %s of %s  %s%s %s%s\n",
           api_number(series, "active"), api_number(series, "active_limit"),
           api_number(series, "block_samples") + api_number(series, "head_samples"),
           api_number(series, "blocks"), show_bytes((double)api_number(series, "bytes")),
           show_bytes((double)api_number(series, "limit_bytes")),
           show_begin(well ? SHOW_GREEN : SHOW_RED), state, api_text(series, "error"), show_end());
    if (refused > 0)
        printf("            %s%lld samples of series beyond series-active were refused, most of "
               "%s%s\n",
               show_begin(SHOW_YELLOW), refused, api_text(series, "most_refused_metric"),
               show_end());
    json_array_foreach(json_object_get(series, "damaged"), i, damage)
        printf("            %s%s: %s%s\n", show_begin(SHOW_RED), api_text(damage, "file"),
               api_text(damage, "why"), show_end());
}

static void print_archive(const json_t *archive)
{
    const char *state = api_text(archive, "state"), *rule = api_text(archive, "refused_rule");
    bool well = strcmp(state, "ok") == 0;
    if (!archive)
        return;
    printf("  archive   %lld of %lld series  %s%s %s%s\n", api_number(archive, "files"),
           api_number(archive, "files_limit"), show_begin(well ? SHOW_GREEN : SHOW_RED), state,
           api_text(archive, "error"), show_end());
    if (*rule)
        printf("            %sseries of the rule \"%s\" are not kept: see archive-files%s\n",
               show_begin(SHOW_YELLOW), rule, show_end());
}

static void print_collector(const json_t *collector)
{
    const json_t *accepted = json_object_get(collector, "accepted"),
                 *head = json_object_get(collector, "head"),
                 *segments = json_object_get(collector, "segments"),
                 *ledger = json_object_get(collector, "ledger");
    const char *state = api_text(ledger, "state");
    bool well = strcmp(state, "ok") == 0;
    printf("%scollector%s %s\n", show_begin(SHOW_BOLD), show_end(), api_text(collector, "version"));
    printf("  accepted  %lld spans in %lld batches, %s; %.0f spans/s now\n",
           api_number(accepted, "spans"), api_number(accepted, "batches"),
           show_bytes((double)api_number(accepted, "bytes")),
           json_number_value(json_object_get(accepted, "spans_per_s")));
    printf("  memory    %lld traces, %lld spans, %s of %s\n", api_number(head, "traces"),
           api_number(head, "spans"), show_bytes((double)api_number(head, "bytes")),
           show_bytes((double)api_number(head, "limit_bytes")));
    print_segments(segments);
    print_series(json_object_get(collector, "series"));
    print_archive(json_object_get(collector, "archive"));
    printf("  ledger    %s of %s in %lld segments  %s%s %s%s\n",
           show_bytes((double)api_number(ledger, "bytes")),
           show_bytes((double)api_number(ledger, "limit_bytes")), api_number(ledger, "segments"),
           show_begin(well ? SHOW_GREEN : SHOW_RED), state, api_text(ledger, "error"), show_end());
}

static void print_agents(const json_t *agents)
{
    size_t i;
    json_t *agent;
    printf("%sagents%s\n", show_begin(SHOW_BOLD), show_end());
    json_array_foreach(agents, i, agent)
    {
        bool connected = json_is_true(json_object_get(agent, "connected"));
        const json_t *spool = json_object_get(agent, "spool");
        printf("  %s%-20s%s %s%s%s  %lld processes, %lld spans, spool %s of %s, clock %s%s\n",
               show_begin(SHOW_BOLD), api_text(agent, "id"), show_end(),
               show_begin(connected ? SHOW_GREEN : SHOW_RED), connected ? "connected" : "gone",
               show_end(), api_number(agent, "processes"), api_number(agent, "spans"),
               show_bytes((double)api_number(spool, "bytes")),
               show_bytes((double)api_number(spool, "limit_bytes")),
               api_number(agent, "clock_skew_ns") < 0 ? "-" : "+",
               show_duration(llabs(api_number(agent, "clock_skew_ns"))));
    }
    if (json_array_size(agents) == 0)
        printf("  %snone has reported: is weft-agent running? (weft doctor)%s\n",
               show_begin(SHOW_YELLOW), show_end());
}

static void print_losses(const json_t *losses)
{
    size_t i;
    json_t *loss;
    printf("%slosses%s\n", show_begin(SHOW_BOLD), show_end());
    if (json_array_size(losses) == 0)
        printf("  %snothing was lost%s\n", show_begin(SHOW_GREEN), show_end());
    json_array_foreach(losses, i, loss)
    {
        printf("  %s%10lld%s  %s/%s  %s ", show_begin(SHOW_YELLOW), api_number(loss, "count"),
               show_end(), api_text(loss, "place"), api_text(loss, "reason"),
               api_text(loss, "agent"));
        show_text(api_text(loss, "service"), 24);
        printf("  %s\n", api_text(loss, "explanation"));
    }
}

int command_status(int argc, char **argv)
{
    char why[512];
    if (argc != 1) {
        FILE *out = strcmp(argv[1], "--help") == 0 ? stdout : stderr;
        fprintf(out, "usage: weft status\n");
        return out == stdout ? 0 : 2;
    }
    json_t *status = api_get(NULL, "/api/v1/status", why, sizeof why);
    if (!status) {
        fprintf(stderr, "weft status: %s\n", why);
        return 1;
    }
    const json_t *freshness = json_object_get(status, "freshness");
    print_collector(json_object_get(status, "collector"));
    printf("  freshness p50 %s, p99 %s from a span's end to being visible\n",
           show_duration((double)api_number(freshness, "p50_ns")),
           show_duration((double)api_number(freshness, "p99_ns")));
    print_agents(json_object_get(status, "agents"));
    print_losses(json_object_get(status, "losses"));
    json_decref(status);
    return 0;
}

int command_recording(int argc, char **argv)
{
    char why[512], *text;
    bool on = argc >= 2 && strcmp(argv[1], "on") == 0,
         off = argc >= 2 && strcmp(argv[1], "off") == 0;
    const char *service = argc == 4 && strcmp(argv[2], "--service") == 0 ? argv[3] : "*";
    if ((!on && !off) || (argc != 2 && argc != 4) || (argc == 4 && service != argv[3])) {
        FILE *out = argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr;
        fprintf(out, "usage: weft recording on|off [--service S]\n");
        return out == stdout ? 0 : 2;
    }
    json_t *body = json_pack("{s:s, s:b}", "service", service, "on", on);
    text = json_dumps(body, JSON_COMPACT);
    json_t *answer = api_post(NULL, "/api/v1/recording", text ? text : "", why, sizeof why);
    free(text);
    json_decref(body);
    if (!answer) {
        fprintf(stderr, "weft recording: %s\n", why);
        return 1;
    }
    printf("recording of %s is %s, told to %lld agents\n",
           strcmp(service, "*") == 0 ? "all services" : service, on ? "on" : "off",
           api_number(answer, "agents"));
    json_decref(answer);
    return 0;
}
