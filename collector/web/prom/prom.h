// SPDX-License-Identifier: Apache-2.0
/* The HTTP API of Prometheus, version 1, so that whatever asks Prometheus can ask the collector:
 * Grafana's data source, promtool, scripts. Formats are as prometheus.io/docs (querying/api) says
 * them; what Prometheus leaves open is as it does it.
 *
 *   form.c      parameters, of GET and POST
 *   answer.c    the envelope: status, data, errors, warnings
 *   values.c    labels, samples, histograms
 *   query.c     query, query_range
 *   picture.c   graphs as PNG and SVG
 *   series.c    series, labels, label values, metadata, exemplars
 *   status.c    status/...
 *   rules.c     rules and alerts
 *   write.c     remote write
 *   federate.c  /federate
 *   delete.c    admin/tsdb/...
 */
#ifndef WEFT_COLLECTOR_WEB_PROM_PROM_H
#define WEFT_COLLECTOR_WEB_PROM_PROM_H

#include "collector/query/promql/promql.h"
#include "collector/web/api.h"
#include "collector/web/prom/form.h"

api_route prom_query, prom_query_range, prom_series, prom_labels, prom_label_values;
api_route prom_metadata, prom_exemplars, prom_buildinfo, prom_runtimeinfo, prom_tsdb, prom_flags;
api_route prom_rules, prom_alerts, prom_write, prom_federate, prom_format_query;
api_route prom_picture_png, prom_picture_svg, prom_delete_series, prom_clean_tombstones;

enum prom_error { PROM_BAD_DATA, PROM_EXECUTION, PROM_TIMEOUT, PROM_UNAVAILABLE, PROM_INTERNAL };

/* One request: its form, and memory that lives as long as it. */
struct prom_call {
    const struct web *web;
    const struct web_request *request;
    const char *rest;
    struct arena arena;
    struct form form;
    struct reply *reply;
    struct json_writer json;
};

/* False: *reply says why; nothing is to be closed. */
bool prom_begin(struct prom_call *c, const struct api_call *call, struct reply *reply);
void prom_end(struct prom_call *c);

/* {"status": "success", "data": …; what is written between them is the data's value. */
void prom_open_data(struct prom_call *c);
/* … with warnings and infos (NULL: none), and the end. */
void prom_close_data(struct prom_call *c, const struct promql_annotation *annotations,
                     size_t count);
/* The warning where a limit cut what is told; Prometheus' words. */
#define PROM_TRUNCATED "results truncated due to limit"
/* Replaces what was there by {"status": "error", "errorType": …, "error": sentence}. */
void prom_fail(struct prom_call *c, enum prom_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void prom_fail_parameter(struct prom_call *c, const char *name, const char *expected);

/* values.c */
void prom_put_labels(struct json_writer *w, const struct labels *l);
/* [1435781430.781, "0.5"], the number as the shortest text that is read back the same. */
void prom_put_sample(struct json_writer *w, int64_t unix_ms, double value);
/* [1435781430.781, {"count": …, "sum": …, "buckets": […]}]. -1: no memory. */
int prom_put_histogram(struct json_writer *w, int64_t unix_ms, const struct histogram *h);
/* "0.5", "+Inf", "NaN"; at most 32 bytes with its end. */
void prom_number(double value, char out[32]);
void prom_put_time(struct json_writer *w, int64_t unix_ms);

/* match.c: the matchers of a selector as text, "up{job=~\"a.*\"}". */
struct prom_match {
    struct matcher *list;
    size_t count;
};
/* -1: *reply says why. Freed by prom_match_fini, whatever it says. */
int prom_match_parse(struct prom_call *c, const struct form_field *field, struct prom_match *m);
/* The same of a selector in a query. */
int prom_match_of(struct prom_call *c, const struct promql_expr *selector, struct prom_match *m);
void prom_match_fini(struct prom_match *m);

#endif
