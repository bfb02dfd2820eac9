// SPDX-License-Identifier: Apache-2.0
/* promqltest FILE…: runs test scripts of Prometheus. Each failure is told with its file and line;
 * the last line is "N passed, N failed", and the exit status 1 if any failed. */
#include <stdio.h>

#include "tests/promqltest/script.h"

int main(int count, char **paths)
{
    size_t passed = 0, failed = 0;
    if (count < 2) {
        fprintf(stderr, "usage: promqltest FILE...\n");
        return 2;
    }
    for (int i = 1; i < count; i++) {
        struct script s;
        if (!script_open(&s, paths[i])) {
            failed++;
            continue;
        }
        script_run(&s);
        printf("%s: %zu passed, %zu failed\n", paths[i], s.passed, s.failed);
        passed += s.passed;
        failed += s.failed;
        script_close(&s);
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed > 0;
}
