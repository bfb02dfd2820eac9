// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct tap_config, field)

static const struct config_option options[] = {
    {"directory", CONFIG_STRING, "/run/weft", AT(directory), 0, 0, "DIR",
     "the agent's directory, in which its feed listens"},
    {"host", CONFIG_STRING, NULL, AT(host), 0, 0, "NAME",
     "the label \"host\" of all series; the host's name unless given"},
    {"interfaces", CONFIG_STRING, "any", AT(interfaces), 0, 0, "NAMES",
     "network interfaces to listen on, with commas: lo,eth0; any: all of them"},
    {"memcached", CONFIG_STRING, "11211", AT(memcached), 0, 0, "PORTS",
     "ports on which memcached answers, with commas; empty: none"},
    {"redis", CONFIG_STRING, "6379", AT(redis), 0, 0, "PORTS",
     "ports on which Redis or Valkey answers, with commas; empty: none"},
    {"user", CONFIG_STRING, NULL, AT(user), 0, 0, "NAME",
     "who to become when interfaces are open, if started as root: the agent's own user"},
    {"buffer", CONFIG_BYTES, "32M", AT(buffer_bytes), 1 << 20, 1 << 30, NULL,
     "packets that may wait in the kernel, for each interface"},
    {"connections", CONFIG_INTEGER, "16384", AT(connections), 16, 1 << 20, NULL,
     "how many connections are followed at a time; beyond it the one silent for longest goes"},
    {"memory", CONFIG_BYTES, "64M", AT(memory_bytes), 1 << 20, INT64_MAX, NULL,
     "what connections may take, all together"},
    {"remember", CONFIG_BYTES, "64M", AT(remember_bytes), 0, INT64_C(1) << 36, NULL,
     "exchanges that are remembered for the agent, so that traces show caches, in a file in its "
     "directory: 128 bytes each; 0: none"},
    {"keys", CONFIG_INTEGER, "1000", AT(keys), 16, 1 << 20, NULL,
     "how many keys are counted at a time, for each cache; about 1 KB of memory each"},
    {"window", CONFIG_DURATION, "10s", AT(window_ns), 1000000000, 3600000000000, NULL,
     "how long keys are counted before they are told"},
    {"tell", CONFIG_INTEGER, "100", AT(tell), 1, 1000, "NUMBER",
     "how many of the heaviest keys, patterns and clients are told of each cache and window"},
    {"tell-keys", CONFIG_STRING, "whole", AT(tell_keys), 0, 0, "HOW",
     "whole; folded: their patterns alone, digits as *; hashed: neither can be read"},
    {"log-level", CONFIG_STRING, "info", AT(log_level), 0, 0, "LEVEL",
     "error, warn, info or debug"},
};

const struct config_program tap_program = {
    .name = "weft-tap",
    .version = WEFT_VERSION,
    .summary = "watches what clients ask of the caches on this host",
    .description =
        "weft-tap reads the packets between memcached, Redis or Valkey and their clients, without "
        "touching either, and tells weft-agent what it sees: every command with its keys, whether "
        "they "
        "were found, how large values are, how long the cache took, and which keys are hot.\n\n"
        "It needs CAP_NET_RAW to open interfaces, and gives up that and every other privilege "
        "before it reads the first packet. It must run as the agent's user, or as root.",
    .default_file = WEFT_SYSCONF_DIR "/weft/tap.yaml",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

static bool is_named(const struct tap_plan *plan, unsigned long port)
{
    for (size_t i = 0; i < plan->port_count; i++)
        if (plan->numbers[i] == port)
            return true;
    return false;
}

static int add_ports(struct tap_plan *plan, const char *name, char *list,
                     const struct tap_protocol *protocol, char *why, size_t why_size)
{
    char *rest = list, *word;
    while ((word = strsep(&rest, ", ")) != NULL) {
        char *end;
        unsigned long port = strtoul(word, &end, 10);
        if (!*word)
            continue;
        if (*end || port == 0 || port > UINT16_MAX) {
            snprintf(why, why_size, "%s: found \"%s\", expected ports from 1 to 65535", name, word);
            return -1;
        }
        if (is_named(plan, port)) {
            snprintf(why, why_size, "%s: port %lu is named twice", name, port);
            return -1;
        }
        if (plan->port_count == TAP_PORTS_MOST) {
            snprintf(why, why_size, "%s: more than %d ports", name, TAP_PORTS_MOST);
            return -1;
        }
        plan->numbers[plan->port_count] = (uint16_t)port;
        plan->ports[plan->port_count++] = (struct tap_port){(uint16_t)port, protocol};
    }
    return 0;
}

static int read_privacy(struct tap_plan *plan, const char *text, char *why, size_t why_size)
{
    static const char *const names[] = {"whole", "folded", "hashed"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            plan->privacy = (enum hot_privacy)i;
            return 0;
        }
    snprintf(why, why_size, "tell-keys: found \"%s\", expected whole, folded or hashed", text);
    return -1;
}

static int add_interfaces(struct tap_plan *plan, char *list, char *why, size_t why_size)
{
    char *rest = list, *word;
    while ((word = strsep(&rest, ", ")) != NULL) {
        if (!*word)
            continue;
        if (plan->interface_count == TAP_INTERFACES_MOST) {
            snprintf(why, why_size, "interfaces: more than %d: \"any\" is all of them",
                     TAP_INTERFACES_MOST);
            return -1;
        }
        plan->interfaces[plan->interface_count++] = word;
    }
    return 0;
}

int tap_plan_read(struct tap_plan *plan, struct tap_config *config, char *why, size_t why_size)
{
    *plan = (struct tap_plan){0};
    if (add_interfaces(plan, config->interfaces, why, why_size) != 0 ||
        add_ports(plan, "memcached", config->memcached, &tap_memcached, why, why_size) != 0 ||
        add_ports(plan, "redis", config->redis, &tap_redis, why, why_size) != 0 ||
        read_privacy(plan, config->tell_keys, why, why_size) != 0)
        return -1;
    if (plan->port_count > 0 && plan->interface_count > 0)
        return 0;
    snprintf(why, why_size,
             "there is nothing to listen to: set interfaces, and memcached or redis");
    return -1;
}
