// SPDX-License-Identifier: Apache-2.0
/* What the demo's processes used, caches that do not record among them. */
#ifndef WEFT_CLI_DEMO_PROCESSES_H
#define WEFT_CLI_DEMO_PROCESSES_H

/* Prints a line for each service that the collector at `url` knows of. */
void demo_processes(const char *url);

#endif
