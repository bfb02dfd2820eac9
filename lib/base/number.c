// SPDX-License-Identifier: Apache-2.0
#include "lib/base/number.h"

#include <stdio.h>
#include <stdlib.h>

void number_text(double value, char text[NUMBER_TEXT_MAX])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, NUMBER_TEXT_MAX, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}
