// SPDX-License-Identifier: Apache-2.0
#include "collector/dashboards/dashboards.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

struct dashboards {
    char *directory;
    pthread_mutex_t lock; /* of writers */
};

static const char aside[] = ".new", extension[] = ".json";

enum { FILE_NAME_BYTES = DASHBOARD_NAME_MAX + sizeof extension };

struct dashboards *dashboards_create(const char *directory)
{
    struct dashboards *d = calloc(1, sizeof *d);
    if (!d || !(d->directory = strdup(directory))) {
        free(d);
        return NULL;
    }
    pthread_mutex_init(&d->lock, NULL);
    return d;
}

void dashboards_destroy(struct dashboards **place)
{
    struct dashboards *d = *place;
    if (!d)
        return;
    pthread_mutex_destroy(&d->lock);
    free(d->directory);
    free(d);
    *place = NULL;
}

const char *dashboards_directory(const struct dashboards *d)
{
    return d->directory;
}

bool dashboards_name_is_right(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = strspn(name, letters);
    return length > 0 && length <= DASHBOARD_NAME_MAX && !name[length] && *name != '-' &&
           *name != '_';
}

static void file_name(const char *name, char out[FILE_NAME_BYTES])
{
    snprintf(out, FILE_NAME_BYTES, "%.*s%s", DASHBOARD_NAME_MAX, name, extension);
}

/* ---- reading ----------------------------------------------------------------------------- */

int dashboards_open_in(const char *directory, const char *name, struct stat *st)
{
    char file[FILE_NAME_BYTES];
    int top = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -1;
    file_name(name, file);
    int fd = openat(top, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int error = errno;
    close(top);
    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
        close(fd);
        fd = -1;
        error = ENOENT;
    }
    errno = error;
    return fd;
}

/* The name of which this is the file; false: it is another file. */
static bool name_of(const char *file, char name[DASHBOARD_NAME_MAX + 1])
{
    size_t length = strlen(file), end = sizeof extension - 1;
    if (length <= end || length - end > DASHBOARD_NAME_MAX ||
        strcmp(file + length - end, extension) != 0)
        return false;
    memcpy(name, file, length - end);
    name[length - end] = '\0';
    return dashboards_name_is_right(name);
}

int dashboards_each_in(const char *directory, void (*each)(void *context, const char *name),
                       void *context)
{
    char name[DASHBOARD_NAME_MAX + 1];
    struct dirent *entry;
    DIR *list = opendir(directory);
    if (!list)
        return errno == ENOENT ? 0 : -1;
    for (int count = 0; count < DASHBOARDS_MAX && (entry = readdir(list));) {
        if (name_of(entry->d_name, name)) {
            each(context, name);
            count++;
        }
    }
    closedir(list);
    return 0;
}

/* ---- versions ---------------------------------------------------------------------------- */

static void print_version(XXH64_hash_t hash, char out[DASHBOARD_VERSION_BYTES])
{
    snprintf(out, DASHBOARD_VERSION_BYTES, "%016llx", (unsigned long long)hash);
}

void dashboards_version_of(const char *bytes, size_t length, char out[DASHBOARD_VERSION_BYTES])
{
    print_version(XXH3_64bits(bytes, length), out);
}

int dashboards_version(int fd, char out[DASHBOARD_VERSION_BYTES])
{
    char part[16384];
    off_t at = 0;
    XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_64bits_reset(state) != XXH_OK) {
        XXH3_freeState(state);
        errno = ENOMEM;
        return -1;
    }
    ssize_t n;
    while ((n = pread(fd, part, sizeof part, at)) > 0) {
        XXH3_64bits_update(state, part, (size_t)n);
        at += n;
    }
    int error = errno;
    print_version(XXH3_64bits_digest(state), out);
    XXH3_freeState(state);
    errno = error;
    return n < 0 ? -1 : 0;
}

/* Of what is shown under the name now; "": there is nothing. -1 with errno. */
static int version_now(const struct dashboards *d, const char *name, const char *shipped,
                       char out[DASHBOARD_VERSION_BYTES])
{
    struct stat st;
    *out = '\0';
    int fd = dashboards_open_in(d->directory, name, &st);
    if (fd < 0 && errno == ENOENT && shipped)
        fd = dashboards_open_in(shipped, name, &st);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    int result = dashboards_version(fd, out), error = errno;
    close(fd);
    errno = error;
    return result;
}

/* Whether the list has it, in quotes. A weak one (W/"…") never is the same. */
static bool list_has(const char *list, const char *version)
{
    char quoted[DASHBOARD_VERSION_BYTES + 2];
    snprintf(quoted, sizeof quoted, "\"%s\"", version);
    for (const char *at = strstr(list, quoted); at; at = strstr(at + 1, quoted))
        if (at == list || at[-1] != '/')
            return true;
    return false;
}

/* -1 with errno: ESTALE where it does not hold. */
static int check(const struct dashboards *d, const char *name, const struct dashboards_if *c)
{
    char version[DASHBOARD_VERSION_BYTES];
    if (!c || (!c->match && !c->none))
        return 0;
    if (version_now(d, name, c->shipped, version) != 0)
        return -1;
    bool is_there = *version != '\0';
    bool holds =
        !c->match || (is_there && (strcmp(c->match, "*") == 0 || list_has(c->match, version)));
    if (c->none && strcmp(c->none, "*") == 0)
        holds = holds && !is_there;
    errno = ESTALE;
    return holds ? 0 : -1;
}

/* ---- writing ----------------------------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

/* Whole and on the disk, under the name aside. */
static int write_aside(int top, const char *bytes, size_t length)
{
    int fd = openat(top, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return -1;
    int result = write_all(fd, bytes, length) == 0 ? fsync(fd) : -1;
    int error = errno;
    if (close(fd) != 0 && result == 0) {
        error = errno;
        result = -1;
    }
    errno = error;
    return result;
}

static int replace(int top, const char *file, const char *bytes, size_t length)
{
    if (write_aside(top, bytes, length) == 0 && renameat(top, aside, top, file) == 0)
        return fsync(top);
    int error = errno;
    unlinkat(top, aside, 0);
    errno = error;
    return -1;
}

static void count_one(void *context, const char *name)
{
    (void)name;
    ++*(int *)context;
}

/* Whether one more has room: always, where it takes the place of an old one. */
static bool has_room(const struct dashboards *d, int top, const char *file)
{
    int count = 0;
    return faccessat(top, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
           (dashboards_each_in(d->directory, count_one, &count) == 0 && count < DASHBOARDS_MAX);
}

/* The directory above is another part's, and is there; its entry of ours is synced as well. */
static int make_directory(const char *directory)
{
    char above[4096];
    if (mkdir(directory, 0750) != 0)
        return errno == EEXIST ? 0 : -1;
    snprintf(above, sizeof above, "%s/..", directory);
    int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        close(fd);
    return result;
}

static int put_locked(struct dashboards *d, const char *file, const char *bytes, size_t length)
{
    int top = make_directory(d->directory) == 0
                  ? open(d->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                  : -1;
    if (top < 0)
        return -1;
    int result = -1;
    if (has_room(d, top, file))
        result = replace(top, file, bytes, length);
    else
        errno = EDQUOT;
    int error = errno;
    close(top);
    errno = error;
    return result;
}

int dashboards_put(struct dashboards *d, const char *name, const char *bytes, size_t length,
                   const struct dashboards_if *condition)
{
    char file[FILE_NAME_BYTES];
    file_name(name, file);
    pthread_mutex_lock(&d->lock);
    int result = check(d, name, condition);
    if (result == 0)
        result = put_locked(d, file, bytes, length);
    pthread_mutex_unlock(&d->lock);
    return result;
}

static int remove_locked(struct dashboards *d, const char *name)
{
    char file[FILE_NAME_BYTES];
    file_name(name, file);
    int top = open(d->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -1;
    int result = unlinkat(top, file, 0) == 0 ? fsync(top) : -1, error = errno;
    close(top);
    errno = error;
    return result;
}

int dashboards_remove(struct dashboards *d, const char *name, const struct dashboards_if *condition)
{
    pthread_mutex_lock(&d->lock);
    int result = check(d, name, condition);
    if (result == 0)
        result = remove_locked(d, name);
    int error = errno;
    pthread_mutex_unlock(&d->lock);
    errno = error;
    return result;
}
