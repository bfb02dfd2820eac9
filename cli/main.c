// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static const struct command commands[] = {
    {"traces", "[options]", "recent traces, newest first", command_traces},
    {"search", "QUERY", "traces that a TraceQL query finds, newest first", command_search},
    {"trace", "ID [--critical-path]", "one trace as a tree", command_trace},
    {"diff", "A B", "what differs between two traces, or two sets", command_diff},
    {"phases", "[QUERY]", "which operation holds how much of the time", command_phases},
    {"inflight", "[options]", "requests that are under way now", command_inflight},
    {"status", "", "the pipeline: agents, ledger, everything that was lost", command_status},
    {"recording", "on|off [--service S]", "turns recording on or off, everywhere",
     command_recording},
    {"promql", "QUERY [options]", "series in PromQL, now or over a time", command_promql},
    {"caches", "[keys|patterns|clients]", "caches, and which of their keys are hot",
     command_caches},
    {"top", "[--view V] [--once]", "services, caches, keys, clients, as they are now", command_top},
    {"deploys", "[--service S]", "deploys, and what each did", command_deploys},
    {"deploy", "ID", "one deploy: which measures changed, and how surely", command_deploy},
    {"mark", "note|deploy ...", "makes a mark on the time axis", command_mark},
    {"marks", "[options]", "deploys, deaths, notes, newest first", command_marks},
    {"query", "--check QUERY", "says whether a TraceQL query is one, and why not", command_query},
    {"tail", "[QUERY]", "spans as they come", command_tail},
    {"export", "ID... | --query Q", "traces into a file, as OTLP JSON", command_export},
    {"import", "[FILE...]", "traces from files, as OTLP JSON", command_import},
    {"run", "[options] COMMAND ...", "runs any program as a service that the agent watches",
     command_run},
    {"keygen", "AGENT", "makes the key that an agent and its collector share", command_keygen},
    {"doctor", "", "finds what is wrong with this host's set-up", command_doctor},
    {"demo", "[options]", "a small Tumblr, traced", command_demo},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void usage(FILE *out)
{
    fprintf(out, "usage: weft COMMAND [ARGUMENTS]\n\n");
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s %-24s %s\n", commands[i].name, commands[i].arguments,
                commands[i].summary);
    fprintf(out, "\nweft COMMAND --help says more. The collector is asked at $WEFT_URL\n"
                 "(http://127.0.0.1:4040), with the token in $WEFT_TOKEN if it wants one.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("weft " WEFT_VERSION);
        return 0;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, argv[1]) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "weft: there is no command \"%s\"\n\n", argv[1]);
    usage(stderr);
    return 2;
}
