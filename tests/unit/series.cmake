# SPDX-License-Identifier: Apache-2.0
# Units and fuzz targets of the series store.
weft_unit(collector/series/chunk/chunk LINK weft_series)
weft_unit(collector/series/chunk/stream LINK weft_series)
weft_unit(collector/series/ask LINK weft_series)
weft_unit(collector/series/failures LINK weft_series -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
weft_unit(collector/series/head/head LINK weft_series)
weft_unit(collector/series/pattern LINK weft_series)
weft_unit(collector/series/refuse LINK weft_series)
weft_unit(collector/series/store LINK weft_series)
weft_unit(collector/series/store_property LINK weft_series)
weft_unit(collector/series/sums LINK weft_series)
weft_unit(collector/series/damage LINK weft_series -Wl,--wrap=write)

weft_fuzz(series_block LINK weft_series)
