# SPDX-License-Identifier: Apache-2.0
weft_unit(ring/span_id)
weft_unit(ring/slab_reader LINK weft_static ring)
weft_unit(client/span LINK weft_static ring)
weft_unit(client/threads LINK weft_static ring)
weft_unit(client/process LINK weft_static ring)
weft_unit(client/propagation LINK weft_static)
weft_fuzz(slab LINK ring)
weft_fuzz(propagation LINK weft_static)
