// SPDX-License-Identifier: Apache-2.0
/* `weft run`: any program as a service that the agent watches. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/run_command.h"
#include "lib/ring/bell.h"
#include "lib/run/run_file.h"

static void usage(FILE *out)
{
    fprintf(
        out,
        "usage: weft run [options] [--] COMMAND [ARGUMENTS]\n\n"
        "Runs COMMAND as it is, and lets the agent see it as a service: its processor time,\n"
        "memory, descriptors and sockets as series; start, readiness and end as marks.\n\n"
        "  --service S    what it is called ($WEFT_SERVICE, or its program's name)\n"
        "  --cell C       the cell that it belongs to ($WEFT_CELL)\n"
        "  --version V    which version it is ($WEFT_VERSION)\n"
        "  --directory D  the agent's directory ($WEFT_DIR, or " BELL_DIRECTORY ")\n"
        "  --quiet        says nothing where no agent watches\n\n"
        "Ends as COMMAND does; with 127 where there is no such program, 126 where it cannot be\n"
        "executed, 125 where something else is wrong.\n");
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* What is not said is as the environment has it, where libweft in COMMAND looks, too. */
static void complete(struct run_options *o, const char *program)
{
    o->service = o->service ? o->service : variable("WEFT_SERVICE");
    o->service = o->service ? o->service : variable("OTEL_SERVICE_NAME");
    o->service = o->service ? o->service : base_name(program);
    o->version = o->version ? o->version : variable("WEFT_VERSION");
    o->cell = o->cell ? o->cell : variable("WEFT_CELL");
    o->directory_said = o->directory != NULL;
    o->directory = o->directory ? o->directory : variable("WEFT_DIR");
    o->directory = o->directory ? o->directory : BELL_DIRECTORY;
}

static bool fits(const char *option, const char *text)
{
    if (!text || strlen(text) < RUN_TEXT_MAX)
        return true;
    fprintf(stderr, "weft run: %s: found %zu bytes, expected at most %u\n", option, strlen(text),
            RUN_TEXT_MAX - 1);
    return false;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct run_options *o)
{
    static const struct option options[] = {{"service", required_argument, NULL, 's'},
                                            {"cell", required_argument, NULL, 'c'},
                                            {"version", required_argument, NULL, 'v'},
                                            {"directory", required_argument, NULL, 'd'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
        switch (option) {
        case 's':
            o->service = optarg;
            break;
        case 'c':
            o->cell = optarg;
            break;
        case 'v':
            o->version = optarg;
            break;
        case 'd':
            o->directory = optarg;
            break;
        case 'q':
            o->quiet = true;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return RUN_FAILED;
        }
    if (optind < argc && *argv[optind])
        return -1;
    usage(stderr);
    return RUN_FAILED;
}

int command_run(int argc, char **argv)
{
    struct run_options o = {.service = NULL};
    int status = parse(argc, argv, &o);
    if (status >= 0)
        return status;
    complete(&o, argv[optind]);
    if (!fits("--service", o.service) || !fits("--version", o.version) || !fits("--cell", o.cell))
        return RUN_FAILED;
    return run_command(&o, argv + optind);
}
