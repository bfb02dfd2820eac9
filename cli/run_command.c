// SPDX-License-Identifier: Apache-2.0
/* The child waits until the run file is there before it becomes the command: so a slab that the
 * command makes is never there without it. A pipe that is closed by exec tells that exec has
 * succeeded, or why it has not. */
#include "cli/run_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run_ready.h"
#include "cli/run_signals.h"
#include "lib/base/cgroup.h"
#include "lib/base/clock.h"
#include "lib/proc/stat.h"
#include "lib/run/run_file.h"

struct run {
    const struct run_options *options;
    char **argv;
    pid_t pid;
    int file; /* the run file; -1: nobody watches, because ... */
    int file_error;
    struct run_signals signals;
    struct readiness readiness;
    char kills[CGROUP_PATH_MAX]; /* where the kernel counts them; "": nowhere */
    uint64_t kills_before;
};

/* ---- the child --------------------------------------------------------------------------- */

static void say_who(const struct run_options *o)
{
    const struct {
        const char *name, *value;
    } variables[] = {{"WEFT_SERVICE", o->service},
                     {"WEFT_VERSION", o->version},
                     {"WEFT_CELL", o->cell},
                     {"WEFT_DIR", o->directory_said ? o->directory : NULL}};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (variables[i].value)
            setenv(variables[i].name, variables[i].value, 1);
}

/* Who kills us by SIGKILL means the command: without us it would have been the one. */
static _Noreturn void become(const struct run *r, int go, int failed, pid_t parent)
{
    char byte;
    while (read(go, &byte, 1) < 0 && errno == EINTR)
        ;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(RUN_FAILED);
    say_who(r->options);
    run_signals_restore(&r->signals);
    execvp(r->argv[0], r->argv);
    int error = errno;
    if (write(failed, &error, sizeof error) < 0)
        _exit(RUN_FAILED);
    _exit(error == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE);
}

/* ---- the run file ------------------------------------------------------------------------ */

static void copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

static void join(char *out, size_t size, char *const *argv)
{
    size_t used = 0;
    for (; *argv && used < size; argv++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? " " : "", *argv);
}

static void describe(const struct run *r, struct run_file *f)
{
    struct stat namespace;
    struct proc_stat command = {0}, own = {0};
    proc_stat_read((uint32_t)r->pid, &command, NULL);
    proc_stat_read((uint32_t)getpid(), &own, NULL);
    *f = (struct run_file){
        .magic = RUN_MAGIC,
        .version = RUN_VERSION,
        .header_bytes = sizeof *f,
        .pid = (uint32_t)r->pid,
        .supervisor = (uint32_t)getpid(),
        .pid_namespace = stat("/proc/self/ns/pid", &namespace) == 0 ? namespace.st_ino : 0,
        .start_time = command.start_time,
        .supervisor_start_time = own.start_time,
        .start_unix_ns = clock_unix_ns(),
    };
    if (getrandom(f->uuid, sizeof f->uuid, 0) != (ssize_t)sizeof f->uuid)
        memcpy(f->uuid, &f->start_unix_ns, sizeof f->start_unix_ns);
    gethostname(f->host, sizeof f->host - 1);
    copy_text(f->service, sizeof f->service, r->options->service);
    copy_text(f->version_name, sizeof f->version_name, r->options->version);
    copy_text(f->cell, sizeof f->cell, r->options->cell);
    join(f->command, sizeof f->command, r->argv);
}

static void open_file(struct run *r)
{
    struct run_file f;
    char name[RUN_NAME_MAX];
    int directory = open(r->options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    describe(r, &f);
    r->file = directory < 0 ? -1 : run_file_create(directory, &f, name);
    r->file_error = errno;
    if (directory >= 0)
        close(directory);
}

static void say_unwatched(const struct run *r)
{
    if (r->file < 0 && !r->options->quiet)
        fprintf(stderr,
                "weft run: %s: %s: %s runs, and nobody watches it (is weft-agent running?)\n",
                r->options->directory, strerror(r->file_error), r->argv[0]);
}

static void tell(const struct run *r, const struct run_record *record)
{
    if (r->file >= 0)
        run_file_append(r->file, record);
}

/* ---- apart from the command -------------------------------------------------------------- */

/* Whoever reads what the command writes sees its end when the command closes it, not when we do;
 * and so with everything else that we were given. */
static void let_go(struct run *r)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        dup2(null, fd);
    unsigned first = 3;
    if (r->file >= 0 && r->file != 3) {
        int moved = dup3(r->file, 3, O_CLOEXEC);
        r->file = moved == 3 ? 3 : r->file;
    }
    if (r->file >= 0)
        first = (unsigned)r->file + 1;
    close_range(first, ~0u, 0);
    if (chdir("/") != 0)
        return; /* then the directory stays in use */
}

/* ---- waiting ----------------------------------------------------------------------------- */

static uint64_t nanoseconds(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

static void tell_end(const struct run *r, int status, const struct rusage *usage)
{
    struct run_record end = {
        .event = RUN_ENDED,
        .how = WIFSIGNALED(status) ? RUN_KILLED : RUN_EXITED,
        .code = (uint32_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)),
        .flags = RUN_HAS_CPU,
        .unix_ns = clock_unix_ns(),
        .user_ns = nanoseconds(usage->ru_utime),
        .system_ns = nanoseconds(usage->ru_stime)};
    if (WIFSIGNALED(status) && WCOREDUMP(status))
        end.flags |= RUN_CORE;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && r->kills[0] &&
        cgroup_count_kills(r->kills) > r->kills_before)
        end.flags |= RUN_OUT_OF_MEMORY;
    tell(r, &end);
}

/* True: it has ended, with that status. Stops are followed. */
static bool has_ended(const struct run *r, int *status)
{
    struct rusage usage;
    pid_t pid;
    while ((pid = wait4(r->pid, status, WNOHANG | WUNTRACED, &usage)) == r->pid) {
        if (WIFSTOPPED(*status)) {
            run_signals_stop(WSTOPSIG(*status));
            continue;
        }
        tell_end(r, *status, &usage);
        return true;
    }
    return false;
}

static void wait_for_signal(struct run *r)
{
    sigset_t all;
    siginfo_t info;
    struct run_record record;
    uint64_t now = clock_read_ns(CLOCK_MONOTONIC), next = r->readiness.next_ns;
    uint64_t pause = next > now ? next - now : 0;
    struct timespec timeout = {(time_t)(pause / 1000000000u), (long)(pause % 1000000000u)};
    sigfillset(&all);
    int number = next ? sigtimedwait(&all, &info, &timeout) : sigwaitinfo(&all, &info);
    if (number > 0 && number != SIGCHLD)
        run_signals_pass(r->pid, &info);
    if (readiness_look(&r->readiness, clock_read_ns(CLOCK_MONOTONIC), &record))
        tell(r, &record);
}

static int wait_for_end(struct run *r)
{
    int status;
    while (!has_ended(r, &status))
        wait_for_signal(r);
    return status;
}

/* ---- starting ---------------------------------------------------------------------------- */

static int complain(const struct run *r, int error)
{
    struct run_record end = {.event = RUN_ENDED,
                             .how = RUN_NOT_STARTED,
                             .code = (uint32_t)error,
                             .unix_ns = clock_unix_ns()};
    tell(r, &end);
    waitpid(r->pid, NULL, 0);
    fprintf(stderr, "weft run: %s: %s%s\n", r->argv[0],
            error == ENOENT ? "there is no such program" : strerror(error),
            error == ENOENT && !strchr(r->argv[0], '/') ? " in $PATH" : "");
    return error == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE;
}

/* The errno of an exec that failed, 0 where it did not. */
static int exec_error(int failed)
{
    int error = 0;
    ssize_t n;
    while ((n = read(failed, &error, sizeof error)) < 0 && errno == EINTR)
        ;
    return n == (ssize_t)sizeof error ? error : 0;
}

static int fail(const char *what)
{
    fprintf(stderr, "weft run: %s: %s\n", what, strerror(errno));
    return RUN_FAILED;
}

static int supervise(struct run *r, int failed)
{
    int error = exec_error(failed);
    if (error)
        return complain(r, error);
    say_unwatched(r);
    let_go(r);
    readiness_begin(&r->readiness, (uint32_t)r->pid, clock_read_ns(CLOCK_MONOTONIC));
    if (r->file < 0)
        r->readiness.next_ns = 0;
    int status = wait_for_end(r);
    if (WIFSIGNALED(status))
        run_signals_die(WTERMSIG(status));
    return WEXITSTATUS(status);
}

int run_command(const struct run_options *options, char **argv)
{
    struct run r = {.options = options, .argv = argv, .file = -1};
    int go[2], failed[2];
    if (pipe2(go, O_CLOEXEC) != 0 || pipe2(failed, O_CLOEXEC) != 0)
        return fail("pipe");
    readiness_init(&r.readiness);
    if (!cgroup_find_kills((uint32_t)getpid(), r.kills))
        r.kills[0] = '\0';
    r.kills_before = r.kills[0] ? cgroup_count_kills(r.kills) : 0;
    run_signals_block(&r.signals);
    pid_t parent = getpid();
    r.pid = fork();
    if (r.pid < 0)
        return fail("fork");
    if (r.pid == 0) {
        close(go[1]);
        become(&r, go[0], failed[1], parent);
    }
    close(failed[1]);
    open_file(&r);
    close(go[1]);
    int status = supervise(&r, failed[0]);
    readiness_fini(&r.readiness);
    return status;
}
