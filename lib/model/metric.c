// SPDX-License-Identifier: Apache-2.0
#include "lib/model/metric.h"

const char *metric_type_name(unsigned type)
{
    static const char *const names[METRIC_TYPES] = {
        [METRIC_UNKNOWN] = "unknown",   [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",       [METRIC_HISTOGRAM] = "histogram",
        [METRIC_SUMMARY] = "summary",   [METRIC_INFO] = "info",
        [METRIC_STATESET] = "stateset", [METRIC_GAUGE_HISTOGRAM] = "gaugehistogram",
    };
    return type < METRIC_TYPES ? names[type] : "unknown";
}
