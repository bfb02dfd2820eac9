// SPDX-License-Identifier: Apache-2.0
/* `weft doctor`: looks at this host from a service's first instruction to the collector's answer,
 * and says of each thing that is not as it should be what to do. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/show.h"
#include "lib/ring/guard.h"
#include "lib/ring/slab_reader.h"
#include "lib/ring/ticks.h"

#define TMPFS_MAGIC 0x01021994

static int problems;

static void good(const char *what, const char *detail)
{
    printf("%s  ok  %s  %s%s", show_begin(SHOW_GREEN), show_end(), what, *detail ? ": " : "");
    show_text(detail, 0);
    printf("\n");
}

/* File names and the collector's answers are other people's text. */
static void say(enum show_style style, const char *verdict, const char *what, const char *remedy)
{
    printf("%s%s %s  ", show_begin(style), verdict, show_end());
    show_text(what, 0);
    printf("\n        ");
    show_text(remedy, 0);
    printf("\n");
}

static void bad(const char *what, const char *remedy)
{
    problems++;
    say(SHOW_RED, " BAD ", what, remedy);
}

static void note(const char *what, const char *remedy)
{
    say(SHOW_YELLOW, "note ", what, remedy);
}

/* ---- the clock --------------------------------------------------------------------------- */

static void check_clock(void)
{
    if (ticks_clock() == SLAB_CLOCK_MONOTONIC)
        note("the processor's counter is not constant and nonstop",
             "spans read the time by clock_gettime: true, but about 12 ns slower each");
    else
        good("clock", "the processor's counter is constant and nonstop");
}

/* ---- the directory ----------------------------------------------------------------------- */

static bool check_directory(const char *path)
{
    char text[512];
    struct stat st;
    struct statfs fs;
    struct statvfs room;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        snprintf(text, sizeof text, "%s: %s", path,
                 errno == ENOENT ? "there is none" : strerror(errno));
        bad(text, "start weft-agent, which makes it, or set WEFT_DIR to where the agent reads");
        return false;
    }
    if (access(path, W_OK | X_OK) != 0)
        bad("this user may not make files in the directory",
            "it should have mode 1777, so that services of all users can record");
    if (statfs(path, &fs) == 0 && fs.f_type != TMPFS_MAGIC)
        bad("the directory is not on a tmpfs",
            "process files on a disk cost writes: mount a tmpfs there, or use /run or /dev/shm");
    if (statvfs(path, &room) == 0) {
        unsigned long long free_bytes = (unsigned long long)room.f_bavail * room.f_frsize;
        snprintf(text, sizeof text, "%s, %s free", path, show_bytes((double)free_bytes));
        if (free_bytes < 16u << 20)
            bad(text, "a recording thread takes about 1.3 MB: make the tmpfs larger (mount -o "
                      "remount,size=)");
        else
            good("directory", text);
    }
    return true;
}

/* ---- the agent --------------------------------------------------------------------------- */

static void check_agent(const char *directory)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/agent.lock", directory);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) {
        note("whether an agent runs cannot be told", "run weft doctor as the agent's user");
        return;
    }
    bool running = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    if (running)
        good("agent", "it holds the directory");
    else
        bad("no agent reads the directory",
            "systemctl start weft-agent (what is recorded meanwhile waits in the rings, then is "
            "dropped and counted)");
}

/* ---- processes --------------------------------------------------------------------------- */

static void report_losses(struct slab_reader *r, const char *name)
{
    static const struct {
        unsigned reason;
        const char *what, *remedy;
    } known[] = {
        {0, "more spans open on a thread than it has slots",
         "raise WEFT_SLOTS, or find the spans that never end"},
        {1, "rings were full",
         "the agent was away or too slow: weft status; or raise WEFT_RING_BYTES"},
        {2, "more recording threads than the file has room for", "raise WEFT_THREADS"},
        {3, "the tmpfs was full", "make it larger, or lower WEFT_RING_BYTES and WEFT_SLOTS"},
        {5, "attributes did not fit into their span", "raise WEFT_SLOT_BYTES, or say less"},
        {6, "the name table was full", "names must be few: put ids and user input into attributes"},
        {7, "calls on spans that had ended", "a use after weft_end in the service"},
    };
    char text[512];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        unsigned long long lost = slab_lost(r, known[i].reason);
        snprintf(text, sizeof text, "%s: %s (%llu times)", name, known[i].what, lost);
        if (lost)
            note(text, known[i].remedy);
    }
}

static void check_processes(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0, unreadable = 0;
    DIR *d = opendir(directory);
    char text[512];
    guard_install();
    for (struct dirent *e; d && fd >= 0 && (e = readdir(d));) {
        enum slab_error error;
        if (e->d_name[0] == '.' || !strstr(e->d_name, SLAB_SUFFIX))
            continue;
        struct slab_reader *r = slab_reader_open(fd, e->d_name, &error);
        count++;
        if (!r && error == SLAB_ESYSTEM) {
            unreadable++;
        } else if (!r) {
            snprintf(text, sizeof text, "%s: %s", e->d_name, slab_error_text(error));
            bad(text, "remove it if no process has it open");
        } else {
            slab_advance(r, 0, 0); /* finds the threads */
            report_losses(r, e->d_name);
            slab_reader_close(&r);
        }
    }
    if (d)
        closedir(d);
    if (fd >= 0)
        close(fd);
    snprintf(text, sizeof text, "%d record, %d of other users not looked at", count, unreadable);
    if (count)
        good("processes", text);
    else
        note("no process records here", "a service must link libweft, and find the directory "
                                        "(WEFT_DIR) when its first span begins");
}

/* ---- the collector ----------------------------------------------------------------------- */

static bool check_collector(void)
{
    char why[512], text[512];
    json_t *status = api_get(NULL, "/api/v1/status", why, sizeof why);
    if (!status) {
        bad("the collector does not answer", why);
        return false;
    }
    const json_t *collector = json_object_get(status, "collector");
    const char *ledger = api_text(json_object_get(collector, "ledger"), "state");
    good("collector", api_text(collector, "version"));
    if (strcmp(ledger, "ok") != 0) {
        snprintf(text, sizeof text, "its ledger is %s", ledger);
        bad(text, "make room on its disk, or look at its log; agents keep everything meanwhile");
    }
    size_t i, connected = 0;
    json_t *agent;
    json_array_foreach(json_object_get(status, "agents"), i, agent)
    {
        long long skew = llabs(api_number(agent, "clock_skew_ns"));
        connected += json_is_true(json_object_get(agent, "connected"));
        if (skew > 1000000000) {
            snprintf(text, sizeof text, "the clock of %s is off by %s", api_text(agent, "id"),
                     show_duration((double)skew));
            bad(text, "let chrony or systemd-timesyncd set it: its spans stand at wrong times");
        }
    }
    snprintf(text, sizeof text, "%zu connected", connected);
    if (connected)
        good("agents", text);
    else
        bad("no agent is connected to the collector",
            "compare the agent's `collector` address and key with the collector's `link` and "
            "`keys-dir`");
    json_decref(status);
    return true;
}

/* ---- the tap ----------------------------------------------------------------------------- */

/* The sum that PromQL gives; -1: there is no such series, or nobody answers. */
static double ask_for(const char *promql)
{
    char path[512] = "/api/v1/query?query=", why[512];
    api_escape(path, sizeof path, promql);
    json_t *answer = api_get(NULL, path, why, sizeof why);
    const json_t *rows = json_object_get(json_object_get(answer, "data"), "result");
    const char *value =
        json_string_value(json_array_get(json_object_get(json_array_get(rows, 0), "value"), 1));
    double sum = value ? strtod(value, NULL) : -1;
    json_decref(answer);
    return sum;
}

/* It is there for hosts with caches: none is no fault. */
static void check_tap(void)
{
    char text[512];
    double taps = ask_for("count(weft_tap_packets_total)");
    if (taps < 0) {
        note("no tap watches caches",
             "where memcached or Redis runs: systemctl enable --now weft-tap");
        return;
    }
    snprintf(text, sizeof text, "%.0f tell of caches", taps);
    good("taps", text);
    double dropped = ask_for("sum(increase(weft_tap_dropped_packets_total[5m]))");
    snprintf(text, sizeof text, "taps did not read %.0f packets in five minutes", dropped);
    if (dropped >= 1)
        bad(text, "raise `buffer` in tap.yaml, or give weft-tap more of a processor: what caches "
                  "answered meanwhile is partly unknown");
    double unseen = ask_for("sum(increase(weft_cache_unseen_replies_total[5m]))");
    snprintf(text, sizeof text, "of %.0f commands in five minutes the reply was not seen", unseen);
    if (unseen >= 1)
        note(text, "packets were lost, or connections are older than the tap and always busy "
                   "(docs/tap.md)");
}

int command_doctor(int argc, char **argv)
{
    const char *environment = getenv("WEFT_DIR");
    const char *directory = environment && *environment ? environment : "/run/weft";
    if (argc != 1) {
        FILE *out = strcmp(argv[1], "--help") == 0 ? stdout : stderr;
        fprintf(out, "usage: weft doctor\n\nLooks at $WEFT_DIR (/run/weft) and at the collector at "
                     "$WEFT_URL.\nExits with 1 if something is wrong.\n");
        return out == stdout ? 0 : 2;
    }
    check_clock();
    if (check_directory(directory)) {
        check_agent(directory);
        check_processes(directory);
    }
    if (check_collector())
        check_tap();
    printf("\n%s\n", problems ? "Something is wrong: see above." : "All is well.");
    return problems != 0;
}
