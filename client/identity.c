// SPDX-License-Identifier: Apache-2.0
/* Identity: a short list of key=value pairs, filled by code before the first span, completed
 * from the environment when the process file is made. The environment is read with
 * secure_getenv: a set-uid program does not take its identity from whoever starts it. */
#include "client/identity.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/process.h"
#include "client/tracestate.h"

#define PAIRS_MAX 32
#define KEY_MAX   64
#define VALUE_MAX 256

static struct {
    char key[KEY_MAX], value[VALUE_MAX];
} pairs[PAIRS_MAX];
static int pair_count;
static bool settled;

static bool is_known(const char *key, size_t length)
{
    for (int i = 0; i < pair_count; i++)
        if (strlen(pairs[i].key) == length && memcmp(pairs[i].key, key, length) == 0)
            return true;
    return false;
}

static const char *value_of(const char *key)
{
    for (int i = 0; i < pair_count; i++)
        if (strcmp(pairs[i].key, key) == 0)
            return pairs[i].value;
    return NULL;
}

/* The first to say something is believed: code before WEFT_ before OTEL_. */
static int remember(const char *key, size_t key_length, const char *value, size_t value_length)
{
    if (key_length == 0 || key_length >= KEY_MAX || value_length >= VALUE_MAX ||
        pair_count == PAIRS_MAX)
        return -1;
    if (is_known(key, key_length))
        return 0;
    memcpy(pairs[pair_count].key, key, key_length);
    memcpy(pairs[pair_count].value, value, value_length);
    pair_count++;
    return 0;
}

static void remember_text(const char *key, const char *value)
{
    if (value && *value)
        remember(key, strlen(key), value, strnlen(value, VALUE_MAX - 1));
}

/* key=value,key=value as in OTEL_RESOURCE_ATTRIBUTES; an entry without '=' is passed over. */
static void remember_list(const char *list)
{
    while (list && *list) {
        size_t length = strcspn(list, ",");
        const char *equals = memchr(list, '=', length);
        if (equals)
            remember(list, (size_t)(equals - list), equals + 1,
                     length - (size_t)(equals + 1 - list));
        list += length;
        list += *list == ',';
    }
}

static void remember_host(void)
{
    char host[VALUE_MAX] = "";
    if (gethostname(host, sizeof host - 1) == 0)
        remember_text("host.name", host);
}

/* Who names no service is called after its program. */
static void remember_program(void)
{
    char path[VALUE_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return;
    path[n] = '\0';
    const char *slash = strrchr(path, '/');
    remember_text("service.name", slash ? slash + 1 : path);
}

void identity_settle(void (*add)(void *context, const char *key, const char *value, size_t length),
                     void *context)
{
    if (!settled) {
        settled = true;
        remember_text("service.name", secure_getenv("WEFT_SERVICE"));
        remember_text("service.version", secure_getenv("WEFT_VERSION"));
        remember_text("service.instance.id", secure_getenv("WEFT_INSTANCE"));
        remember_text("weft.cell", secure_getenv("WEFT_CELL"));
        remember_list(secure_getenv("WEFT_RESOURCE"));
        remember_text("service.name", secure_getenv("OTEL_SERVICE_NAME"));
        remember_list(secure_getenv("OTEL_RESOURCE_ATTRIBUTES"));
        remember_host();
        remember_program();
        const char *service = value_of("service.name");
        if (service)
            tracestate_settle(service);
    }
    for (int i = 0; i < pair_count; i++)
        add(context, pairs[i].key, pairs[i].value, strlen(pairs[i].value));
}

static int say(const char *key, const char *value)
{
    if (!key || !value || strlen(value) >= VALUE_MAX)
        return -1;
    process_lock();
    int result = settled ? -1 : remember(key, strlen(key), value, strlen(value));
    process_unlock();
    return result;
}

int weft_identify(const char *service, const char *version, const char *instance, const char *cell)
{
    const char *keys[] = {"service.name", "service.version", "service.instance.id", "weft.cell"};
    const char *values[] = {service, version, instance, cell};
    int result = 0;
    for (int i = 0; i < 4; i++)
        if (values[i] && say(keys[i], values[i]) != 0)
            result = -1;
    return result;
}

int weft_resource(const char *key, const char *value)
{
    return say(key, value);
}

unsigned long identity_number(const char *variable, unsigned long standard, unsigned long least,
                              unsigned long most)
{
    const char *text = secure_getenv(variable);
    if (!text || *text < '0' || *text > '9')
        return standard;
    int saved = errno;
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    errno = saved;
    return *end || value < least || value > most ? standard : value;
}
