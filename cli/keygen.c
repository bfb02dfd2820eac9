// SPDX-License-Identifier: Apache-2.0
/* `weft keygen AGENT`: the key that an agent and its collector share. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "lib/link/keys.h"

static const char usage[] =
    "usage: weft keygen [--keys-dir DIR] AGENT\n\n"
    "Makes DIR/AGENT.key (/etc/weft/keys unless given). Keep it where the collector's\n"
    "keys-dir points, and copy it to the agent's host as its key-file, mode 0600.\n";

static int make(const char *directory, const char *agent)
{
    char path[4096], why[512];
    uint8_t key[LINK_KEY_BYTES];
    if (!link_agent_id_is_valid(agent)) {
        fprintf(stderr,
                "weft keygen: found \"%s\", expected an agent's name: letters, digits, "
                "'.', '_', '-', at most 63\n",
                agent);
        return 2;
    }
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        fprintf(stderr, "weft keygen: %s: %s\n", directory, strerror(errno));
        return 1;
    }
    snprintf(path, sizeof path, "%s/%s.key", directory, agent);
    if (link_key_generate(key, why, sizeof why) != 0 ||
        link_key_save(path, key, why, sizeof why) != 0) {
        fprintf(stderr, "weft keygen: %s\n", why);
        return 1;
    }
    printf("%s\n\n"
           "On the collector:  keys-dir: %s\n"
           "On %s:  copy the file to /etc/weft/agent.key (mode 0600, owned by the agent's user), "
           "then\n"
           "                   agent: %s\n"
           "                   key-file: /etc/weft/agent.key\n",
           path, directory, agent, agent);
    return 0;
}

int command_keygen(int argc, char **argv)
{
    static const struct option options[] = {{"keys-dir", required_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *directory = "/etc/weft/keys";
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option != 'k') {
            fputs(usage, stderr);
            return 2;
        }
        directory = optarg;
    }
    if (optind != argc - 1) {
        fputs(usage, stderr);
        return 2;
    }
    return make(directory, argv[optind]);
}
