// SPDX-License-Identifier: Apache-2.0
#include "cli/run_ready.h"

#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/proc/tree.h"

enum { TREE_MAX = 256, DESCRIPTORS_MAX = 4096 };

#define FIRST_NS 5000000u
#define LAST_NS  UINT64_C(10000000000)
#define PART     20 /* of the time that has passed, from one look to the next */

/* ---- sockets ----------------------------------------------------------------------------- */

static void note_inherited(void *context, uint64_t inode)
{
    struct readiness *r = context;
    if (r->inherited_count < RUN_INHERITED_MAX)
        r->inherited[r->inherited_count++] = inode;
}

static bool is_inherited(const struct readiness *r, uint64_t inode)
{
    for (size_t i = 0; i < r->inherited_count; i++)
        if (r->inherited[i] == inode)
            return true;
    return false;
}

struct search {
    struct readiness *readiness;
    bool any, read; /* there are sockets; the tables are read */
    const struct proc_socket *found;
};

static void visit(void *context, uint64_t inode)
{
    struct search *s = context;
    struct readiness *r = s->readiness;
    if (s->found || is_inherited(r, inode))
        return;
    if (!s->read)
        proc_sockets_read(&r->sockets, r->pid, false);
    s->read = true;
    const struct proc_socket *socket = proc_sockets_find(&r->sockets, inode);
    if (socket && (socket->kind == PROC_TCP_LISTENING || socket->kind == PROC_UNIX_LISTENING))
        s->found = socket;
}

static bool listens(struct readiness *r, struct run_record *record)
{
    uint32_t pids[TREE_MAX];
    struct search s = {.readiness = r};
    size_t count = proc_tree(r->pid, pids, TREE_MAX);
    for (size_t i = 0; i < count && !s.found; i++)
        proc_sockets_of(pids[i], DESCRIPTORS_MAX, visit, &s);
    if (!s.found)
        return false;
    bool tcp = s.found->kind == PROC_TCP_LISTENING;
    *record = (struct run_record){.event = RUN_READY,
                                  .how = tcp ? RUN_LISTENS_TCP : RUN_LISTENS_UNIX,
                                  .code = s.found->port,
                                  .unix_ns = clock_unix_ns()};
    return true;
}

/* ---- time -------------------------------------------------------------------------------- */

void readiness_init(struct readiness *r)
{
    *r = (struct readiness){0};
    proc_sockets_of((uint32_t)getpid(), DESCRIPTORS_MAX, note_inherited, r);
}

void readiness_fini(struct readiness *r)
{
    proc_sockets_fini(&r->sockets);
}

void readiness_begin(struct readiness *r, uint32_t pid, uint64_t now_ns)
{
    r->pid = pid;
    r->since_ns = now_ns;
    r->next_ns = now_ns + FIRST_NS;
}

bool readiness_look(struct readiness *r, uint64_t now_ns, struct run_record *record)
{
    if (r->next_ns == 0 || now_ns < r->next_ns)
        return false;
    uint64_t pause = (now_ns - r->since_ns) / PART;
    pause = pause < FIRST_NS ? FIRST_NS : pause > LAST_NS ? LAST_NS : pause;
    r->next_ns = now_ns + pause;
    if (!listens(r, record))
        return false;
    r->next_ns = 0;
    return true;
}
