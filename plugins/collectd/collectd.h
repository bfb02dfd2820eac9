// SPDX-License-Identifier: Apache-2.0
/* collectd's own headers, in the order that they need. They define LOG_INFO and the like, as syslog
 * does: lib/base/log.h cannot be included beside them. */
#ifndef WEFT_PLUGINS_COLLECTD_COLLECTD_H
#define WEFT_PLUGINS_COLLECTD_COLLECTD_H

#include "core/daemon/collectd.h"

#include "core/daemon/globals.h"
#include "core/daemon/plugin.h"
#include "core/utils/metadata/meta_data.h"

#endif
