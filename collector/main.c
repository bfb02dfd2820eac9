// SPDX-License-Identifier: Apache-2.0
/* weft-collector: configuration, signals, and telling systemd. The work is in collector.c. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "collector/collector.h"
#include "lib/base/descriptors.h"
#include "lib/base/log.h"

enum { EXIT_USAGE = 2, LOOK_MS = 500 };

/* The head lives in large blocks that come and go together: one heap that gives them back in
 * turn keeps the resident memory at its bound. */
static void tune_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
    mallopt(M_ARENA_MAX, 4);
}

static void apply_log_level(const char *name)
{
    enum log_level level;
    if (log_parse_level(name, &level))
        log_set_level(level);
}

/* Where it really listens: the port may have been 0. Always said, whatever the level. */
static void announce(const struct collector_config *config, const struct collector *c)
{
    int host = (int)(strrchr(config->http, ':') - config->http);
    log_set_level(LOG_LEVEL_INFO);
    LOG_INFO("listening on http://%.*s:%u", host, config->http, collector_http_port(c));
    LOG_INFO("agents: %s, control %s%s", config->link, config->control,
             config->keys_dir ? "" : ", open: without keys only this host may send");
    apply_log_level(config->log_level);
}

/* The log level and the rules from the configuration as it is now; the rest needs a restart. */
static void reload(struct collector *c, int argc, char **argv)
{
    char why[1024];
    struct collector_config fresh = {0};
    sd_notify(0, "RELOADING=1");
    if (config_load(&collector_program, argc, argv, &fresh, why, sizeof why) == CONFIG_READY &&
        collector_config_check(&fresh, why, sizeof why) == 0 &&
        collector_reload(c, &fresh, why, sizeof why) == 0) {
        apply_log_level(fresh.log_level);
        LOG_INFO("the log level is %s now", fresh.log_level);
    } else {
        LOG_ERROR("the configuration stays as it was: %s", why);
    }
    config_clear(&collector_program, &fresh);
    sd_notify(0, "READY=1");
}

/* Until a signal ends it or the collector cannot go on. 0, or 1 for the latter. */
static int wait_for_end(const sigset_t *signals, struct collector *c, int argc, char **argv)
{
    bool told_ready = false;
    struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
    for (;;) {
        int signal_number = sigtimedwait(signals, NULL, &look);
        if (signal_number == SIGTERM || signal_number == SIGINT)
            return 0;
        if (signal_number == SIGHUP)
            reload(c, argc, argv);
        if (collector_has_failed(c))
            return 1;
        if (!told_ready && collector_is_ready(c)) {
            sd_notify(0, "STATUS=accepting batches");
            told_ready = true;
        }
    }
}

static int run(const struct collector_config *config, int argc, char **argv)
{
    char why[1024];
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* every thread started from here inherits it */
    descriptors_raise_limit();
    signal(SIGPIPE, SIG_IGN);

    struct collector *c = collector_start(config, why, sizeof why);
    if (!c) {
        LOG_ERROR("%s", why);
        return 1;
    }
    announce(config, c);
    sd_notify(0, "READY=1\nSTATUS=reading the ledger back");
    int result = wait_for_end(&signals, c, argc, argv);
    LOG_INFO("stopping");
    sd_notify(0, "STOPPING=1");
    collector_stop(&c);
    return result;
}

int main(int argc, char **argv)
{
    char why[1024];
    struct collector_config config = {0};
    tune_memory();
    switch (config_load(&collector_program, argc, argv, &config, why, sizeof why)) {
    case CONFIG_EXIT:
        return 0;
    case CONFIG_ERROR:
        fprintf(stderr, "weft-collector: %s\n", why);
        return EXIT_USAGE;
    case CONFIG_READY:
        break;
    }
    int result = EXIT_USAGE;
    if (collector_config_check(&config, why, sizeof why) != 0) {
        fprintf(stderr, "weft-collector: %s\n", why);
    } else if (config.check_config) {
        printf("the configuration is right\n");
        result = 0;
    } else {
        if (strcmp(config.log_level, "debug") == 0)
            apply_log_level(config.log_level);
        result = run(&config, argc, argv);
    }
    config_clear(&collector_program, &config);
    return result;
}
