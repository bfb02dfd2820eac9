// SPDX-License-Identifier: Apache-2.0
#include "collector/query/status.h"

#include <stdlib.h>

void pipeline_status_fini(struct pipeline_status *s)
{
    free(s->damaged);
    free(s->series_damaged);
    free(s->agents);
    free(s->losses);
    *s = (struct pipeline_status){0};
}
