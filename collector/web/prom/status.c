// SPDX-License-Identifier: Apache-2.0
/* /api/v1/status/buildinfo, runtimeinfo, tsdb, flags. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collector/web/prom/prom.h"

/* Clients choose what they ask by Prometheus' version: this is the one whose API and language these
 * are. */
#define PROMETHEUS_VERSION "3.5.0"

void prom_buildinfo(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    if (!prom_begin(&c, call, reply))
        return;
    prom_open_data(&c);
    json_open_object(&c.json);
    json_field_text(&c.json, "version", PROMETHEUS_VERSION);
    json_field_text(&c.json, "application", "weft-collector");
    json_field_text(&c.json, "revision", WEFT_VERSION);
    json_field_text(&c.json, "branch", "");
    json_field_text(&c.json, "buildUser", "");
    json_field_text(&c.json, "buildDate", "");
    json_field_text(&c.json, "goVersion", "");
    json_close_object(&c.json);
    prom_close_data(&c, NULL, 0);
    prom_end(&c);
}

static void put_date(struct json_writer *w, const char *key, uint64_t unix_ns)
{
    char text[40];
    struct tm tm;
    time_t seconds = (time_t)(unix_ns / 1000000000);
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_field_text(w, key, text);
}

void prom_runtimeinfo(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    struct pipeline_status status;
    struct series_stats series;
    if (!prom_begin(&c, call, reply))
        return;
    if (c.web->status(c.web->context, &status) != 0) {
        prom_fail(&c, PROM_UNAVAILABLE, "the collector is out of memory");
    } else {
        series_store_stats(c.web->series, &series);
        prom_open_data(&c);
        json_open_object(&c.json);
        put_date(&c.json, "startTime", status.start_unix_ns);
        json_field_uint(&c.json, "timeSeriesCount", series.series);
        json_field_bool(&c.json, "reloadConfigSuccess", true);
        json_field_uint(&c.json, "corruptionCount", 0);
        json_close_object(&c.json);
        prom_close_data(&c, NULL, 0);
        pipeline_status_fini(&status);
    }
    prom_end(&c);
}

void prom_flags(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    if (!prom_begin(&c, call, reply))
        return;
    prom_open_data(&c);
    json_open_object(&c.json);
    json_close_object(&c.json);
    prom_close_data(&c, NULL, 0);
    prom_end(&c);
}

/* ---- tsdb -------------------------------------------------------------------------------- */

static void put_top(struct json_writer *w, const char *key, const struct series_top *list,
                    size_t count)
{
    json_field_array(w, key);
    for (size_t i = 0; i < count; i++) {
        char pair[1024];
        int length = snprintf(pair, sizeof pair, list[i].value.length ? "%.*s=%.*s" : "%.*s%.*s",
                              (int)list[i].name.length, list[i].name.bytes,
                              (int)list[i].value.length, list[i].value.bytes);
        json_open_object(w);
        json_field_string(w, "name", pair,
                          (size_t)length < sizeof pair ? (size_t)length : sizeof pair - 1);
        json_field_uint(w, "value", list[i].count);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_head(struct json_writer *w, const struct series_head_status *s)
{
    json_open_object(w);
    json_field_object(w, "headStats");
    json_field_uint(w, "numSeries", s->series);
    json_field_uint(w, "numLabelPairs", s->label_pairs);
    json_field_uint(w, "chunkCount", s->chunks);
    json_field_int(w, "minTime", s->min_ms);
    json_field_int(w, "maxTime", s->max_ms);
    json_close_object(w);
    put_top(w, "seriesCountByMetricName", s->by_metric, s->by_metric_count);
    put_top(w, "labelValueCountByLabelName", s->values_by_label, s->values_by_label_count);
    put_top(w, "memoryInBytesByLabelName", s->bytes_by_label, s->bytes_by_label_count);
    put_top(w, "seriesCountByLabelValuePair", s->by_pair, s->by_pair_count);
    json_close_object(w);
}

void prom_tsdb(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    struct series_head_status status;
    uint64_t limit = SERIES_TOP;
    if (!prom_begin(&c, call, reply))
        return;
    if (form_number(&c.form, "limit", &limit) != 0 || limit == 0 || limit > SERIES_TOP_MAX) {
        prom_fail_parameter(&c, "limit", "a number from 1 to 1000");
    } else if (series_store_head_status(c.web->series, (size_t)limit, &c.arena, &status) !=
               SERIES_OK) {
        prom_fail(&c, PROM_UNAVAILABLE, "the collector is out of memory");
    } else {
        prom_open_data(&c);
        put_head(&c.json, &status);
        prom_close_data(&c, NULL, 0);
    }
    prom_end(&c);
}
