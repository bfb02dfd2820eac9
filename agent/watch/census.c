// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/census.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cgroup.h"
#include "lib/proc/stat.h"

enum {
    YOUNG_LOOKS = 5,         /* in as many censuses a process is looked at from its first on */
    TURN = 32,               /* of the older ones, so many in each census */
    DESCRIPTORS_MAX = 65536, /* of one process */
    PORTS_MAX = 64,          /* on which one process listens */
    KERNEL_THREADS_PARENT = 2,
};

struct known {
    struct census_process process, root;
    uint32_t parent;
    int rule;
    uint8_t looks;
};

/* ---- lists ------------------------------------------------------------------------------- */

/* Room for one more; NULL: no memory. */
static void *push(struct census_list *l, size_t size)
{
    if (l->count == l->capacity) {
        size_t larger = l->capacity ? l->capacity * 2 : 64;
        void *items = realloc(l->items, larger * size);
        if (!items)
            return NULL;
        l->items = items;
        l->capacity = larger;
    }
    return (char *)l->items + size * l->count++;
}

#define ITEM(list, type, i) (&((type *)(list).items)[i])

static void free_list(struct census_list *l)
{
    free(l->items);
    *l = (struct census_list){0};
}

/* Items of all lists that are searched begin with their pid. */
static int compare_pids(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static void *find(const struct census_list *l, size_t size, uint32_t pid)
{
    return l->count ? bsearch(&pid, l->items, l->count, size, compare_pids) : NULL;
}

static void sort(struct census_list *l, size_t size)
{
    if (l->count > 1)
        qsort(l->items, l->count, size, compare_pids);
}

/* ---- ports ------------------------------------------------------------------------------- */

static bool is_asked_for(const struct watch_rules *r, uint16_t port)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->list[i].port == port)
            return true;
    return false;
}

static const struct proc_socket *listening(const struct census *c, uint64_t inode)
{
    const struct proc_socket *list = c->ports.items;
    for (size_t low = 0, high = c->ports.count; low < high;) {
        size_t middle = (low + high) / 2;
        if (list[middle].inode == inode)
            return &list[middle];
        if (list[middle].inode < inode)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Who listens where a rule asks. Where a new socket does, everybody is looked at, to find its
 * owner. */
static void renew_ports(struct census *c)
{
    struct census_list fresh = {0};
    c->look_at_all = false;
    if (!c->rules->ask_port)
        return;
    proc_sockets_read(&c->host_sockets, (uint32_t)getpid(), false);
    for (size_t i = 0; i < c->host_sockets.count; i++) {
        const struct proc_socket *s = &c->host_sockets.list[i];
        if (s->kind != PROC_TCP_LISTENING || !is_asked_for(c->rules, s->port))
            continue;
        struct proc_socket *to = push(&fresh, sizeof *to);
        if (to)
            *to = *s;
        c->look_at_all |= !listening(c, s->inode);
    }
    free_list(&c->ports);
    c->ports = fresh;
}

struct port_search {
    const struct census *census;
    uint16_t ports[PORTS_MAX];
    size_t count;
};

static void note_port(void *context, uint64_t inode)
{
    struct port_search *s = context;
    const struct proc_socket *socket = listening(s->census, inode);
    if (socket && s->count < PORTS_MAX)
        s->ports[s->count++] = socket->port;
}

/* ---- a closer look ----------------------------------------------------------------------- */

static int match(struct census *c, uint32_t pid, const char *name)
{
    char executable[4096] = "", unit[CGROUP_UNIT_MAX] = "", groups[16384];
    struct port_search ports = {.census = c};
    const struct watch_rules *r = c->rules;
    if (r->ask_executable && proc_read_link(pid, "exe", executable, sizeof executable)) {
        char *deleted = strstr(executable, " (deleted)"); /* since it began */
        if (deleted && !deleted[strlen(" (deleted)")])
            *deleted = '\0';
    }
    if (r->ask_unit && proc_read_text(pid, "cgroup", groups, sizeof groups) &&
        !cgroup_unit(groups, unit))
        unit[0] = '\0';
    if (c->ports.count && !proc_sockets_of(pid, DESCRIPTORS_MAX, note_port, &ports))
        c->is_blind = true;
    return watch_rules_match(
        r, &(struct watch_subject){executable, name, unit, ports.ports, ports.count});
}

static void tell(struct census *c, const struct known *k)
{
    struct census_finding *f = push(&c->findings, sizeof *f);
    if (f)
        *f = (struct census_finding){k->process, k->root, k->rule};
}

/* What is there under its number may be another process than it was. */
static void look(struct census *c, struct known *k)
{
    struct proc_stat stat;
    if (!proc_stat_read(k->process.pid, &stat, NULL) || proc_stat_is_dead(&stat))
        return;
    if (stat.start_time != k->process.start_time)
        *k = (struct known){{k->process.pid, stat.start_time}, {0, 0}, stat.parent, -1, 0};
    k->looks += k->looks < YOUNG_LOOKS;
    bool kernels = stat.parent == KERNEL_THREADS_PARENT || k->process.pid == KERNEL_THREADS_PARENT;
    if (k->rule >= 0 || kernels || c->rules->count == 0)
        return;
    k->rule = match(c, k->process.pid, stat.name);
    if (k->rule >= 0)
        tell(c, k);
}

/* ---- everybody --------------------------------------------------------------------------- */

static bool is_in_turn(const struct census *c, size_t i, size_t count)
{
    return count > 0 && (i + count - c->turn % count) % count < TURN;
}

static void look_at_some(struct census *c)
{
    struct census_list *all = &c->known;
    for (size_t i = 0; i < all->count; i++) {
        struct known *k = ITEM(*all, struct known, i);
        if (c->look_at_all || k->looks < YOUNG_LOOKS || is_in_turn(c, i, all->count))
            look(c, k);
    }
    c->turn = all->count ? (c->turn + TURN) % all->count : 0;
}

/* The numbers that there are now, with what was known of them. */
static void list_processes(struct census *c)
{
    DIR *d = opendir("/proc");
    c->next.count = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        char *end;
        unsigned long pid = strtoul(e->d_name, &end, 10);
        if (e->d_name[0] < '1' || e->d_name[0] > '9' || *end || pid > UINT32_MAX)
            continue;
        const struct known *before = find(&c->known, sizeof *before, (uint32_t)pid);
        struct known *k = push(&c->next, sizeof *k);
        if (k)
            *k = before ? *before : (struct known){.process.pid = (uint32_t)pid, .rule = -1};
    }
    if (d)
        closedir(d);
    sort(&c->next, sizeof(struct known));
    struct census_list old = c->known;
    c->known = c->next;
    c->next = old;
}

/* Children have what their parents have, and keep it when those are gone. Parents have mostly lower
 * numbers; where not, the next census goes on. */
static void descend(struct census *c)
{
    for (size_t i = 0; i < c->known.count; i++) {
        struct known *k = ITEM(c->known, struct known, i);
        const struct census_process *root = find(&c->roots, sizeof *root, k->process.pid);
        const struct known *parent = find(&c->known, sizeof *parent, k->parent);
        bool is_root = root && root->start_time == k->process.start_time;
        if (is_root && k->root.pid != k->process.pid)
            k->root = *root;
        else if (!is_root && !k->root.pid && parent && parent->root.pid) {
            k->root = parent->root;
            if (k->rule < 0)
                tell(c, k);
        }
    }
}

/* ---- sockets ----------------------------------------------------------------------------- */

struct counting {
    const struct proc_sockets *sockets;
    struct proc_socket_counts *counts;
};

static void count_socket(void *context, uint64_t inode)
{
    struct counting *c = context;
    const struct proc_socket *s = proc_sockets_find(c->sockets, inode);
    if (s)
        c->counts->by_kind[s->kind]++;
}

/* Processes of other network namespaces are looked up in the tables of their own. */
static void count_sockets(struct census *c)
{
    char host[64] = "", own[64] = "", last[64] = "";
    struct proc_sockets others = {0};
    if (c->countable.count == 0)
        return;
    c->sockets.count = 0;
    proc_read_link((uint32_t)getpid(), "ns/net", host, sizeof host);
    proc_sockets_read(&c->host_sockets, (uint32_t)getpid(), true);
    for (size_t i = 0; i < c->countable.count; i++) {
        struct census_sockets counted = {*ITEM(c->countable, uint32_t, i), {{0}}};
        bool elsewhere =
            proc_read_link(counted.pid, "ns/net", own, sizeof own) && strcmp(own, host) != 0;
        if (elsewhere && strcmp(own, last) != 0) {
            proc_sockets_read(&others, counted.pid, true);
            strcpy(last, own);
        }
        struct counting counting = {elsewhere ? &others : &c->host_sockets, &counted.counts};
        struct census_sockets *to =
            proc_sockets_of(counted.pid, DESCRIPTORS_MAX, count_socket, &counting)
                ? push(&c->sockets, sizeof *to)
                : NULL;
        if (to)
            *to = counted;
    }
    sort(&c->sockets, sizeof(struct census_sockets));
    proc_sockets_fini(&others);
}

/* ---- the census -------------------------------------------------------------------------- */

void census_init(struct census *c, const struct watch_rules *rules)
{
    *c = (struct census){.rules = rules};
}

void census_fini(struct census *c)
{
    struct census_list *const lists[] = {&c->roots, &c->countable, &c->findings, &c->sockets,
                                         &c->known, &c->next,      &c->ports};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free_list(lists[i]);
    proc_sockets_fini(&c->host_sockets);
}

void census_ask_root(struct census *c, struct census_process process)
{
    struct census_process *to = push(&c->roots, sizeof *to);
    if (to)
        *to = process;
}

void census_ask_sockets(struct census *c, uint32_t pid)
{
    uint32_t *to = push(&c->countable, sizeof *to);
    if (to)
        *to = pid;
}

void census_take(struct census *c)
{
    c->findings.count = 0;
    c->is_blind = false;
    if (c->rules->count || c->roots.count) {
        sort(&c->roots, sizeof(struct census_process));
        renew_ports(c);
        list_processes(c);
        look_at_some(c);
        descend(c);
    }
    count_sockets(c);
    c->roots.count = c->countable.count = 0;
}
