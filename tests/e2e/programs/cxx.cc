// SPDX-License-Identifier: Apache-2.0
/* A C++ service: the header compiles there, and a scope ends its span when an exception leaves
 * it. Prints the trace's id. */
#include <weft/weft.h>

#include <cstdio>
#include <stdexcept>
#include <string>

static void fail(const std::string &what)
{
    WEFT_SCOPE(span, WEFT_NAME("throws"), WEFT_CLIENT);
    weft_set_string(span, WEFT_NAME("what"), what.c_str());
    weft_span_peer(span, -1);
    weft_set_status(span, WEFT_ERROR, "left by an exception");
    throw std::runtime_error(what);
}

int main()
{
    char traceparent[WEFT_TRACEPARENT_SIZE];
    weft_identify("cxx", "17", "cxx-0", NULL);
    WEFT_SCOPE(span, WEFT_NAME("main"), WEFT_SERVER);
    try {
        fail("on purpose");
    } catch (const std::exception &error) {
        weft_event(span, WEFT_NAME("caught"), NULL, 0);
    }
    if (weft_current().id != span.id || weft_traceparent(span, traceparent) != 0)
        return 1;
    std::printf("%.32s\n", traceparent + 3);
    return 0;
}
