// SPDX-License-Identifier: Apache-2.0
/* Dashboards (docs/dashboards.md): those that came with the page, and those that people saved,
 * which go before. The collector keeps their bytes and looks no further than that they are an
 * object with a title and panels: what a panel is, the page knows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/dashboards/dashboards.h"
#include "collector/web/api.h"
#include "lib/base/log.h"

struct shown {
    char name[DASHBOARD_NAME_MAX + 1];
    bool shipped, saved;
};

struct list {
    struct shown *items; /* 2 * DASHBOARDS_MAX */
    size_t count;
    bool saved; /* those that are added now */
};

/* Where those that came with the page lie. */
static bool shipped_directory(const struct web *w, char out[4096])
{
    return w->page_directory && snprintf(out, 4096, "%s/dashboards", w->page_directory) < 4096;
}

static void add(void *context, const char *name)
{
    struct list *list = context;
    size_t i = 0;
    while (i < list->count && strcmp(list->items[i].name, name) != 0)
        i++;
    if (i == list->count && list->count < 2 * DASHBOARDS_MAX)
        strcpy(list->items[list->count++].name, name);
    if (i < list->count) {
        list->items[i].saved |= list->saved;
        list->items[i].shipped |= !list->saved;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct shown *)a)->name, ((const struct shown *)b)->name);
}

static void put_list(const struct list *list, struct reply *reply)
{
    struct json_writer w = json_writer_to(&reply->body);
    json_open_object(&w);
    json_field_array(&w, "dashboards");
    for (size_t i = 0; i < list->count; i++) {
        json_open_object(&w);
        json_field_text(&w, "name", list->items[i].name);
        json_field_bool(&w, "shipped", list->items[i].shipped);
        json_field_bool(&w, "saved", list->items[i].saved);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_close_object(&w);
}

void api_dashboards(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX], shipped[4096];
    if (params_only(call->params, "", why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    struct list list = {.items = calloc(2 * (size_t)DASHBOARDS_MAX, sizeof *list.items)};
    if (!list.items) {
        reply_no_memory(reply);
        return;
    }
    if (shipped_directory(call->web, shipped))
        dashboards_each_in(shipped, add, &list);
    list.saved = true;
    if (dashboards_each_in(dashboards_directory(call->web->dashboards), add, &list) != 0) {
        reply_error(reply, 503, "the saved dashboards cannot be read: %s", strerror(errno));
    } else {
        qsort(list.items, list.count, sizeof *list.items, by_name);
        put_list(&list, reply);
    }
    free(list.items);
}

static bool name_is_right(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    if (params_only(call->params, "", why) != 0)
        reply_error(reply, 400, "%s", why);
    else if (!dashboards_name_is_right(call->rest))
        reply_error(reply, 400,
                    "the name of a dashboard: found \"%.80s\", expected 1 to %d of a-z, 0-9, - and "
                    "_, beginning with a letter or digit",
                    call->rest, DASHBOARD_NAME_MAX);
    else
        return true;
    return false;
}

static void put_version(const char *version, struct reply *reply)
{
    snprintf(reply->etag, sizeof reply->etag, "\"%s\"", version);
}

void api_dashboard(const struct api_call *call, struct reply *reply)
{
    char shipped[4096];
    struct stat st;
    if (!name_is_right(call, reply))
        return;
    int file = dashboards_open_in(dashboards_directory(call->web->dashboards), call->rest, &st);
    if (file < 0 && errno != ENOENT) {
        reply_error(reply, 503, "the dashboard cannot be read: %s", strerror(errno));
        return;
    }
    if (file < 0 && shipped_directory(call->web, shipped))
        file = dashboards_open_in(shipped, call->rest, &st);
    if (file < 0) {
        reply_error(reply, 404, "there is no dashboard %s", call->rest);
        return;
    }
    char version[DASHBOARD_VERSION_BYTES];
    if (dashboards_version(file, version) == 0)
        put_version(version, reply);
    reply->modified_unix_s = st.st_mtim.tv_sec;
    reply->file = file;
    reply->file_bytes = (uint64_t)st.st_size;
}

/* ---- saving ------------------------------------------------------------------------------ */

static void say_disk(const struct web *w, const char *name, struct reply *reply)
{
    int error = errno;
    if (error == ESTALE) {
        reply_error(reply, 412,
                    "the dashboard %s is not as it was read: somebody saved or removed it since; "
                    "read it again, or save without If-Match",
                    name);
        return;
    }
    LOG_WARN("dashboard %s: %s/%s.json: %s", name, dashboards_directory(w->dashboards), name,
             strerror(error));
    if (error == EDQUOT)
        reply_error(reply, 507, "there are %d dashboards already, or the disk's quota is used up",
                    DASHBOARDS_MAX);
    else
        reply_error(reply, error == ENOSPC ? 507 : 503, "the dashboard cannot be written: %s",
                    error == ENOSPC ? "the disk is full; make room and save it again. What was "
                                      "saved before is unharmed"
                                    : strerror(error));
}

/* What whoever asks knows of the dashboard. `shipped` is room for a path. */
static struct dashboards_if condition_of(const struct api_call *call, char shipped[4096])
{
    return (struct dashboards_if){
        .match = call->request->if_match,
        .none = call->request->if_none_match,
        .shipped = shipped_directory(call->web, shipped) ? shipped : NULL,
    };
}

static bool is_dashboard(const json_t *body, struct reply *reply)
{
    const char *title = json_string_value(json_object_get(body, "title"));
    if (title && *title && json_is_array(json_object_get(body, "panels")))
        return true;
    reply_error(reply, 400, "expected an object with a title and panels: see docs/dashboards.md");
    return false;
}

void api_dashboard_put(const struct api_call *call, struct reply *reply)
{
    const struct web_request *request = call->request;
    if (!name_is_right(call, reply))
        return;
    json_t *body = api_json_body(call, reply);
    if (body && is_dashboard(body, reply)) {
        char shipped[4096], version[DASHBOARD_VERSION_BYTES];
        const struct dashboards_if condition = condition_of(call, shipped);
        if (dashboards_put(call->web->dashboards, call->rest, request->body, request->body_length,
                           &condition) == 0) {
            dashboards_version_of(request->body, request->body_length, version);
            put_version(version, reply);
            buffer_printf(&reply->body, "{\"name\":\"%s\"}\n", call->rest);
        } else {
            say_disk(call->web, call->rest, reply);
        }
    }
    json_decref(body);
}

void api_dashboard_delete(const struct api_call *call, struct reply *reply)
{
    if (!name_is_right(call, reply))
        return;
    char shipped[4096];
    const struct dashboards_if condition = condition_of(call, shipped);
    if (dashboards_remove(call->web->dashboards, call->rest, &condition) == 0)
        buffer_printf(&reply->body, "{\"name\":\"%s\"}\n", call->rest);
    else if (errno == ENOENT)
        reply_error(reply, 404, "nobody saved a dashboard %s", call->rest);
    else
        say_disk(call->web, call->rest, reply);
}
