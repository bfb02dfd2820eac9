# SPDX-License-Identifier: Apache-2.0
# Units and fuzz targets of TraceQL.
weft_unit(collector/query/traceql/engine/table LINK weft_collector m)
weft_unit(collector/query/traceql/engine/value LINK weft_collector m)
weft_unit(collector/query/language/input LINK weft_language)
weft_unit(collector/query/traceql/parse LINK weft_traceql)
weft_unit(collector/query/traceql/print LINK weft_traceql)
weft_unit(collector/query/traceql/search LINK weft_collector)
weft_unit(collector/query/traceql/run LINK weft_collector)
weft_unit(collector/query/traceql/metrics LINK weft_collector m)
weft_unit(collector/query/traceql/reference LINK weft_collector m)
target_sources(unit_collector_query_traceql_reference PRIVATE
  ${PROJECT_SOURCE_DIR}/tests/unit/collector/query/traceql/reference.c
  ${PROJECT_SOURCE_DIR}/tests/unit/collector/query/traceql/reference_expr.c
  ${PROJECT_SOURCE_DIR}/tests/unit/collector/query/traceql/reference_field.c)

weft_fuzz(traceql LINK weft_traceql)
