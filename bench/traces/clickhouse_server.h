// SPDX-License-Identifier: Apache-2.0
/* A clickhouse-server of our own: a configuration and data below a directory, a free port of
 * loopback, a child that ends with us; and questions to it over HTTP. */
#ifndef WEFT_BENCH_TRACES_CLICKHOUSE_SERVER_H
#define WEFT_BENCH_TRACES_CLICKHOUSE_SERVER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/buffer.h"

struct clickhouse {
    const char *directory;
    pid_t pid;
    int port;
    CURL *curl;
    struct buffer answer;
};

bool clickhouse_is_installed(void);
/* Starts it and waits until it answers. */
void clickhouse_start(struct clickhouse *c, const char *directory);
void clickhouse_stop(struct clickhouse *c);
/* The answer's bytes, terminated; valid until the next. Dies with what the server says. */
const char *clickhouse_ask(struct clickhouse *c, const char *sql);
/* `sql` with a body of data. */
void clickhouse_put(struct clickhouse *c, const char *sql, const struct buffer *body);
double clickhouse_cpu_ns(const struct clickhouse *c);

#endif
