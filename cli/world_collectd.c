// SPDX-License-Identifier: Apache-2.0
#include "cli/world_collectd.h"

#include <stdio.h>
#include <unistd.h>

#define PLUGINS "/usr/lib/collectd"

/* Of these Debian's collectd-core needs nothing further. */
static const char *const readers[] = {"cpu", "df", "disk", "interface", "load", "memory"};

bool world_collectd_is_there(const char *plugin_directory)
{
    char path[2304];
    snprintf(path, sizeof path, "%s/weft.so", plugin_directory);
    if (access(WORLD_COLLECTD_PROGRAM, X_OK) != 0 || access(path, R_OK) != 0)
        return false;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        snprintf(path, sizeof path, PLUGINS "/%s.so", readers[i]);
        if (access(path, R_OK) != 0)
            return false;
    }
    return true;
}

static void put_plugins(FILE *file, const char *plugin_directory, const char *slabs)
{
    fprintf(file,
            "LoadPlugin logfile\n<Plugin logfile>\n  LogLevel info\n  File STDERR\n</Plugin>\n");
    fprintf(file, "PluginDir \"%s\"\nLoadPlugin weft\nPluginDir \"" PLUGINS "\"\n",
            plugin_directory);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        fprintf(file, "LoadPlugin %s\n", readers[i]);
    fprintf(file, "<Plugin df>\n  MountPoint \"/\"\n</Plugin>\n");
    fprintf(file, "<Plugin weft>\n  Socket \"%s/feed.sock\"\n</Plugin>\n", slabs);
}

bool world_collectd_configure(const char *directory, const char *slabs,
                              const char *plugin_directory, char *path, size_t size)
{
    snprintf(path, size, "%s/collectd.conf", directory);
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    fprintf(file, "FQDNLookup false\nInterval 2\nTypesDB \"/usr/share/collectd/types.db\"\n");
    fprintf(file, "BaseDir \"%s\"\nPIDFile \"%s/collectd.pid\"\n", directory, directory);
    put_plugins(file, plugin_directory, slabs);
    return fclose(file) == 0;
}
