# SPDX-License-Identifier: Apache-2.0
# Units of plugins/collectd, where it is built.
if(TARGET weft_collectd_parts)
  weft_unit(plugins/collectd/names LINK weft_collectd_parts)
  weft_unit(plugins/collectd/settings LINK weft_collectd_parts)
  weft_unit(plugins/collectd/queue LINK weft_collectd_parts)
  weft_unit(plugins/collectd/sender LINK weft_collectd_parts)
endif()
