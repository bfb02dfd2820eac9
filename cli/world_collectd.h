// SPDX-License-Identifier: Apache-2.0
/* A collectd of the demo's own, where one is installed: it reads this host's numbers for the
 * agent of the demo, listens nowhere, and writes nothing. */
#ifndef WEFT_CLI_WORLD_COLLECTD_H
#define WEFT_CLI_WORLD_COLLECTD_H

#include <stdbool.h>
#include <stddef.h>

#define WORLD_COLLECTD_PROGRAM "/usr/sbin/collectd"

/* Whether collectd, its plugins and ours (in `plugin_directory`) are there. */
bool world_collectd_is_there(const char *plugin_directory);
/* Writes its configuration to `directory`/collectd.conf, the name of which is printed into `path`.
 * `slabs` is the agent's directory. False: it cannot be written. */
bool world_collectd_configure(const char *directory, const char *slabs,
                              const char *plugin_directory, char *path, size_t size);

#endif
