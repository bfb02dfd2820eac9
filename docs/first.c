// SPDX-License-Identifier: Apache-2.0
// cc first.c $(pkg-config --cflags --libs weft) -o first && ./first && weft traces --service first
#include <weft/weft.h>

int main(void)
{
    weft_identify("first", "1.0", NULL, NULL);
    WEFT_SCOPE(request, WEFT_NAME("GET /users/{id}"), WEFT_SERVER);
    weft_set_int(request, WEFT_NAME("user.id"), 42);
    WEFT_SCOPE(query, WEFT_NAME("look up user"), WEFT_CLIENT);
    weft_set_status(query, WEFT_ERROR, "no such user");
    return 0;
}
