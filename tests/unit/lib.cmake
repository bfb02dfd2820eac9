# SPDX-License-Identifier: Apache-2.0
# Units and fuzz targets of lib/base, lib/model, lib/codec, lib/link and the agent's spool.

weft_unit(base/arena LINK weft_base)
weft_unit(base/buffer LINK weft_base)
weft_unit(base/config LINK weft_base)
weft_unit(base/journal LINK weft_base)
weft_unit(base/json_writer LINK weft_base PkgConfig::jansson)
weft_unit(base/log LINK weft_base)
weft_unit(base/units LINK weft_base)
weft_unit(model/names LINK weft_model)
weft_unit(codec/batch LINK weft_codec)
weft_unit(codec/column LINK weft_codec)
weft_unit(link/address LINK weft_link)
weft_unit(link/control LINK weft_link)
weft_unit(link/envelope LINK weft_link)
weft_unit(link/keys LINK weft_link)
weft_unit(link/session LINK weft_link)
weft_unit(link/link LINK weft_link)
