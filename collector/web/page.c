// SPDX-License-Identifier: Apache-2.0
/* The page's files, from one directory. A path is taken only if each of its parts is made of
 * letters, digits, '.', '_' and '-' and does not begin with a dot, and no part of it may be a
 * symbolic link: nothing outside of the directory can be named. Files under /assets/ have a
 * hash of their contents in their names and never change; all others are asked for again. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/web/api.h"

enum { PATH_BYTES_MAX = 256 };

static const struct {
    const char *extension, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
    {".map", "application/json; charset=utf-8"},
};

static const char *type_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++) {
        if (strcmp(dot, types[i].extension) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

static bool has_path(const char *path)
{
    static const char *const views[] = {"/traces", "/inflight", "/status"};
    /* With an id behind them, or none. */
    static const char *const pages[] = {"/search",   "/graph",  "/dashboards", "/deploys",
                                        "/services", "/caches", "/overview"};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        if (strcmp(path, views[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        size_t length = strlen(pages[i]);
        if (strncmp(path, pages[i], length) == 0 && (path[length] == '\0' || path[length] == '/'))
            return true;
    }
    return strcmp(path, "/") == 0 || strncmp(path, "/trace/", 7) == 0;
}

static bool is_plain(const char *path)
{
    bool begins = true;
    if (strlen(path) > PATH_BYTES_MAX)
        return false;
    for (; *path; path++) {
        bool letter = (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') ||
                      (*path >= '0' && *path <= '9') || *path == '_' || *path == '-';
        if (begins ? !letter : !letter && *path != '.' && *path != '/')
            return false;
        begins = *path == '/';
    }
    return !begins;
}

/* A descriptor of a regular file below the directory, or -1. */
static int open_below(const char *directory, const char *path, struct stat *st)
{
    int top = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -1;
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int file = (int)syscall(SYS_openat2, top, path, &how, sizeof how);
    close(top);
    if (file >= 0 && (fstat(file, st) != 0 || !S_ISREG(st->st_mode))) {
        close(file);
        file = -1;
    }
    return file;
}

static void put_etag(struct reply *reply, const struct stat *st)
{
    snprintf(reply->etag, sizeof reply->etag, "\"%llx-%llx\"",
             (unsigned long long)st->st_mtim.tv_sec * 1000000000ull +
                 (unsigned long long)st->st_mtim.tv_nsec,
             (unsigned long long)st->st_size);
}

void page_answer(const struct web *w, const struct web_request *request, struct reply *reply)
{
    bool view = has_path(request->path);
    const char *path = view ? "index.html" : request->path + 1;
    struct stat st;
    int file = is_plain(path) ? open_below(w->page_directory, path, &st) : -1;
    if (file < 0) {
        if (view)
            reply_error(reply, 404,
                        "the page is not installed in %.300s; the API is at /api/v1 "
                        "(docs/api.md)",
                        w->page_directory);
        else
            reply_error(reply, 404, "there is no such file");
        return;
    }
    reply->page = true;
    reply->content_type = type_of(path);
    bool immutable = strncmp(path, "assets/", 7) == 0;
    reply->cache_control = immutable ? "public, max-age=31536000, immutable" : "no-cache";
    put_etag(reply, &st);
    if (request->if_none_match && strcmp(request->if_none_match, reply->etag) == 0) {
        close(file);
        reply->status = 304;
        return;
    }
    reply->file = file;
    reply->file_bytes = (uint64_t)st.st_size;
}
