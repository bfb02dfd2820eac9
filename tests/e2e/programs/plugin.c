// SPDX-License-Identifier: Apache-2.0
/* A plugin that records and is unloaded again: it brings libweft along. */
#include "weft/weft.h"

void plugin_work(void);

void plugin_work(void)
{
    WEFT_SCOPE(span, WEFT_NAME("plugin"), WEFT_INTERNAL);
    weft_set_bool(span, WEFT_NAME("plugged"), 1);
}
