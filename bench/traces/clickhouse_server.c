// SPDX-License-Identifier: Apache-2.0
#include "bench/traces/clickhouse_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/traces/traces.h"

enum { START_MS = 30000, STOP_MS = 20000, LOOK_MS = 5, TIMEOUT_MS = 600000 };

static const char *const programs[] = {"/usr/sbin/clickhouse-server", "/usr/bin/clickhouse-server"};

static const char *program(void)
{
    for (unsigned i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        if (access(programs[i], X_OK) == 0)
            return programs[i];
    }
    return NULL;
}

bool clickhouse_is_installed(void)
{
    return program() != NULL;
}

/* ---- its files --------------------------------------------------------------------------- */

static FILE *create(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "we");
    if (!file)
        die("%s: %s", path, strerror(errno));
    return file;
}

/* zstd for everything, as those who keep traces choose. */
static void write_config(const struct clickhouse *c)
{
    FILE *file = create(c->directory, "config.xml");
    fprintf(file,
            "<yandex><logger><level>error</level><log>%s/log</log><errorlog>%s/errors</errorlog>"
            "</logger><http_port>%d</http_port><listen_host>127.0.0.1</listen_host>"
            "<path>%s/data/</path><tmp_path>%s/tmp/</tmp_path>"
            "<mark_cache_size>1073741824</mark_cache_size>"
            "<uncompressed_cache_size>0</uncompressed_cache_size>"
            "<keep_alive_timeout>600</keep_alive_timeout>"
            "<users_config>%s/users.xml</users_config><default_profile>default</default_profile>"
            "<default_database>default</default_database><compression><case>"
            "<min_part_size>0</min_part_size><min_part_size_ratio>0</min_part_size_ratio>"
            "<method>zstd</method></case></compression></yandex>\n",
            c->directory, c->directory, c->port, c->directory, c->directory, c->directory);
    fclose(file);
    file = create(c->directory, "users.xml");
    fprintf(file, "<yandex><profiles><default><allow_experimental_low_cardinality_type>1"
                  "</allow_experimental_low_cardinality_type></default></profiles><users><default>"
                  "<password></password><networks><ip>127.0.0.1</ip></networks>"
                  "<profile>default</profile><quota>default</quota></default></users>"
                  "<quotas><default></default></quotas></yandex>\n");
    fclose(file);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        die("there is no free port");
    close(fd);
    return ntohs(address.sin_port);
}

/* ---- starting and stopping --------------------------------------------------------------- */

static void become_server(const struct clickhouse *c)
{
    char config[4200], output[4200];
    snprintf(config, sizeof config, "--config-file=%s/config.xml", c->directory);
    snprintf(output, sizeof output, "%s/output", c->directory);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = open(output, O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execl(program(), "clickhouse-server", config, (char *)NULL);
    _exit(127);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
    buffer_append(context, bytes, size * count);
    return size * count;
}

static bool perform(struct clickhouse *c, const char *url, const void *body, size_t length)
{
    long status = 0;
    buffer_clear(&c->answer);
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
    CURLcode code = curl_easy_perform(c->curl);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        buffer_text(&c->answer, curl_easy_strerror(code));
    buffer_byte(&c->answer, 0);
    return code == CURLE_OK && status == 200;
}

static void make_url(const struct clickhouse *c, const char *sql, char *url, size_t size)
{
    char *escaped = sql ? curl_easy_escape(c->curl, sql, 0) : NULL;
    snprintf(url, size, "http://127.0.0.1:%d/%s%s", c->port, escaped ? "?query=" : "",
             escaped ? escaped : "");
    curl_free(escaped);
}

static void prepare_http(struct clickhouse *c)
{
    static struct curl_slist *headers;
    c->curl = curl_easy_init();
    if (!c->curl)
        die("no memory");
    if (!headers)
        headers = curl_slist_append(NULL, "Expect:"); /* else it waits before a large body */
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(c->curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &c->answer);
}

void clickhouse_start(struct clickhouse *c, const char *directory)
{
    char path[4096], url[64];
    *c = (struct clickhouse){.directory = directory, .port = free_port()};
    snprintf(path, sizeof path, "%s/data", directory);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/tmp", directory);
    mkdir(path, 0700);
    write_config(c);
    prepare_http(c);
    fflush(NULL);
    c->pid = fork();
    if (c->pid < 0)
        die("fork: %s", strerror(errno));
    if (c->pid == 0)
        become_server(c);
    make_url(c, NULL, url, sizeof url);
    double began_ns = measure_wall_ns();
    while (!perform(c, url, "SELECT 1", 8)) {
        int status;
        if (waitpid(c->pid, &status, WNOHANG) == c->pid)
            die("clickhouse-server ended at its start");
        if (measure_wall_ns() - began_ns > START_MS * 1e6) {
            kill(c->pid, SIGKILL);
            die("clickhouse-server does not answer");
        }
        usleep(LOOK_MS * 1000);
    }
}

void clickhouse_stop(struct clickhouse *c)
{
    int status;
    double began_ns = measure_wall_ns();
    curl_easy_cleanup(c->curl);
    buffer_fini(&c->answer);
    kill(c->pid, SIGTERM);
    while (waitpid(c->pid, &status, WNOHANG) == 0) {
        if (measure_wall_ns() - began_ns > STOP_MS * 1e6)
            kill(c->pid, SIGKILL);
        usleep(LOOK_MS * 1000);
    }
}

/* ---- asking ------------------------------------------------------------------------------ */

const char *clickhouse_ask(struct clickhouse *c, const char *sql)
{
    char url[64];
    make_url(c, NULL, url, sizeof url);
    if (!perform(c, url, sql, strlen(sql)))
        die("ClickHouse: %.200s: %.400s", sql, c->answer.data);
    return (const char *)c->answer.data;
}

void clickhouse_put(struct clickhouse *c, const char *sql, const struct buffer *body)
{
    char url[1000];
    make_url(c, sql, url, sizeof url);
    if (!perform(c, url, body->data, body->length))
        die("ClickHouse: %.200s: %.400s", sql, c->answer.data);
}

double clickhouse_cpu_ns(const struct clickhouse *c)
{
    char path[64], line[1024] = "";
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)c->pid);
    FILE *file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file)) {
        const char *after_name = strrchr(line, ')');
        if (after_name)
            sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                   &system);
    }
    if (file)
        fclose(file);
    return (double)(user + system) * 1e9 / (double)sysconf(_SC_CLK_TCK);
}
