# SPDX-License-Identifier: Apache-2.0
# Units and fuzz target of PromQL, and of the histograms that it calculates with.
weft_unit(model/histogram LINK weft_model m)
weft_unit(collector/query/promql/parse LINK weft_promql)
weft_unit(collector/query/promql/print LINK weft_promql)
weft_unit(collector/query/promql/engine LINK weft_memory_source m)
weft_unit(collector/query/promql/threads LINK weft_memory_source)

weft_fuzz(promql LINK weft_promql)
