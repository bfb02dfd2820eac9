// SPDX-License-Identifier: Apache-2.0
/* `weft demo`: starts the world, makes trouble on cue, and tells at the end what was seen. */
#include <getopt.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/command.h"
#include "cli/demo_hottest.h"
#include "cli/demo_pictures.h"
#include "cli/demo_summary.h"
#include "cli/world.h"

struct plan {
    double seconds; /* 0: until Ctrl-C */
    double rate;
    uint16_t port;
    bool kill_cell, slow_redis, deploy;
    const char *pictures; /* the directory for them; NULL: a new one */
};

static volatile sig_atomic_t ending;

static void on_signal(int signal)
{
    (void)signal;
    ending = 1;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* ---- trouble ----------------------------------------------------------------------------- */

/* A celebrity's post keeps each cell busy for some milliseconds: that is when one is killed. */
static void kill_cell(struct world *w)
{
    char url[64], why[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", w->ports[WORLD_WEB]);
    json_decref(api_post(url, "/post?user=1", "I am on the air", why, sizeof why));
    pause_ms(4);
    printf("  killing cell c2 in the middle of its work\n");
    world_kill(w, WORLD_CELL_2);
}

/* Redis answers nobody for a while; its clients wait. */
static void slow_redis(const struct world *w)
{
    redisContext *redis = redisConnect("127.0.0.1", w->ports[WORLD_REDIS]);
    if (redis && !redis->err)
        freeReplyObject(redisCommand(redis, "CLIENT PAUSE 250 ALL"));
    if (redis)
        redisFree(redis);
}

/* Once a second: what happens at which second of the run. -1: a part of the world ended. */
static int each_second(struct world *w, const struct plan *plan, int second)
{
    int middle = plan->seconds > 0 ? (int)(plan->seconds / 3) : 10;
    if (plan->kill_cell && second == middle)
        kill_cell(w);
    if (plan->kill_cell && second == middle + 2) {
        printf("  starting cell c2 again\n");
        if (world_start(w, WORLD_CELL_2) != 0)
            return -1;
    }
    if (plan->slow_redis && second % 5 == 4)
        slow_redis(w);
    int deploy = plan->seconds > 0 ? (int)(plan->seconds / 2) : 20;
    if (plan->deploy && (second == deploy || second == deploy + 2)) {
        enum world_member cell = second == deploy ? WORLD_CELL_1 : WORLD_CELL_2;
        w->version = WORLD_SLOWER_VERSION;
        printf("  deploying %s to %s\n", w->version, world_name(cell));
        world_stop(w, cell);
        if (world_start(w, cell) != 0)
            return -1;
    }
    if (fflush(stdout) != 0)
        ending = 1;
    return 0;
}

/* ---- the run ----------------------------------------------------------------------------- */

static int start_all(struct world *w)
{
    for (int i = 0; i < WORLD_MEMBERS; i++) {
        bool is_there = i == WORLD_TAP        ? world_may_tap()
                        : i == WORLD_COLLECTD ? world_has_collectd()
                                              : true;
        if (is_there && world_start(w, (enum world_member)i) != 0)
            return -1;
    }
    return 0;
}

static int run(struct world *w, const struct plan *plan)
{
    printf("The page: %s/\n\n"
           "  redis and memcached hold inboxes and posts, web and firehose take requests,\n"
           "  two cells deliver. %.0f requests a second.%s\n%s%s",
           w->url, plan->rate, plan->seconds > 0 ? "" : " Ctrl-C ends it.",
           w->pids[WORLD_TAP] ? "  weft-tap watches what they ask of redis and memcached.\n"
                              : "  Redis and memcached are not tapped: that takes CAP_NET_RAW, "
                                "which root has.\n",
           w->pids[WORLD_COLLECTD] ? "  collectd reads this host.\n" : "");
    fflush(stdout);
    double start = now_s();
    for (int second = 1; !ending && (plan->seconds <= 0 || now_s() - start < plan->seconds);
         second++) {
        while (!ending && now_s() < start + second)
            pause_ms(20);
        if (each_second(w, plan, second) != 0 || world_find_dead(w) >= 0)
            return -1;
    }
    return 0;
}

/* Not where it was ended before the deploy's time came. */
static bool has_deployed(const struct world *w)
{
    return strcmp(w->version, WORLD_SLOWER_VERSION) == 0;
}

static int demo(const struct plan *plan)
{
    struct world w;
    if (world_init(&w, plan->port, plan->rate) != 0)
        return 1;
    int status = 1;
    if (start_all(&w) == 0) {
        int64_t start_s = time(NULL);
        bool ran = run(&w, plan) == 0;
        int64_t end_s = time(NULL);
        int hottest = ran && w.pids[WORLD_TAP] ? demo_hottest(&w, (double)(end_s - start_s)) : 0;
        world_stop(&w, WORLD_LOAD);
        if (ran)
            status = demo_summary(&w, plan->kill_cell) | hottest;
        if (ran && plan->deploy && has_deployed(&w))
            status |= demo_pictures(&w, plan->pictures, start_s, end_s);
    }
    world_fini(&w);
    return status;
}

/* ---- options ----------------------------------------------------------------------------- */

static void usage(FILE *out)
{
    fprintf(
        out,
        "usage: weft demo [options]\n\n"
        "  --for N        ends after N seconds, with a summary (otherwise at Ctrl-C)\n"
        "  --rate N       requests a second (100)\n"
        "  --port N       of the page, if it is free (4040)\n"
        "  --kill-cell    kills a cell in the middle of a request\n"
        "  --slow-redis   makes redis wait a quarter of a second now and then\n"
        "  --deploy       restarts the cells with a new, slower version, one after the other, and\n"
        "                 closes with graphs of it as pictures\n"
        "  --pictures DIR where these go (a new directory under /tmp)\n");
}

/* -1 where it is none, or not within 0 and `most`. */
static double number(const char *text, double most)
{
    char *end;
    double value = strtod(text, &end);
    return end != text && !*end && value >= 0 && value <= most ? value : -1;
}

static bool parse(int argc, char **argv, struct plan *plan, int *status)
{
    static const struct option options[] = {{"for", required_argument, NULL, 'f'},
                                            {"rate", required_argument, NULL, 'r'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"kill-cell", no_argument, NULL, 'k'},
                                            {"slow-redis", no_argument, NULL, 's'},
                                            {"deploy", no_argument, NULL, 'd'},
                                            {"pictures", required_argument, NULL, 'P'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;
    double port = 4040;
    *plan = (struct plan){.rate = 100};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (option) {
        case 'f':
            plan->seconds = number(optarg, 1e9);
            break;
        case 'r':
            plan->rate = number(optarg, 1e9);
            break;
        case 'p':
            port = number(optarg, 65535);
            break;
        case 'k':
            plan->kill_cell = true;
            break;
        case 's':
            plan->slow_redis = true;
            break;
        case 'd':
            plan->deploy = true;
            break;
        case 'P':
            plan->pictures = optarg;
            break;
        case 'h':
            usage(stdout);
            *status = 0;
            return false;
        default:
            usage(stderr);
            *status = 2;
            return false;
        }
    if (plan->rate > 0 && plan->seconds >= 0 && port >= 0 && optind == argc) {
        plan->port = (uint16_t)port;
        return true;
    }
    usage(stderr);
    *status = 2;
    return false;
}

int command_demo(int argc, char **argv)
{
    struct plan plan;
    int status;
    struct sigaction action = {.sa_handler = on_signal};
    if (!parse(argc, argv, &plan, &status))
        return status;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* whoever read us has gone: we end in order */
    return demo(&plan);
}
