# SPDX-License-Identifier: Apache-2.0
# Units and fuzz targets of the collector.
weft_unit(collector/accept/agents LINK weft_collector)
weft_unit(collector/accept/commit LINK weft_collector -Wl,--wrap=fdatasync)
weft_unit(collector/accept/dedupe LINK weft_collector)
weft_unit(collector/accept/queue LINK weft_collector)
weft_unit(collector/collector LINK weft_collector)
weft_unit(collector/ledger/frame LINK weft_collector)
weft_unit(collector/ledger/ledger LINK weft_collector)
weft_unit(collector/losses LINK weft_collector)
weft_unit(collector/query/tree LINK weft_collector)
weft_unit(collector/traces/freshness LINK weft_collector)
weft_unit(collector/traces/inflight LINK weft_collector)
weft_unit(collector/traces/store LINK weft_collector)
weft_unit(collector/web/params LINK weft_collector)
weft_unit(collector/web/route LINK weft_collector)

weft_fuzz(ledger LINK weft_collector)
weft_fuzz(http_query LINK weft_collector)
