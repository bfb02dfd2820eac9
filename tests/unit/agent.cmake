# SPDX-License-Identifier: Apache-2.0
weft_unit(agent/switches LINK weft_agent_parts)
weft_unit(agent/cursors LINK weft_agent_parts weft_static)
weft_unit(agent/convert LINK weft_agent_parts weft_static)
weft_unit(agent/processes LINK weft_agent_parts weft_static)
weft_unit(agent/host_clock LINK weft_agent_parts)
