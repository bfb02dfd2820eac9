# SPDX-License-Identifier: Apache-2.0
# `weft top`, without a terminal.
weft_unit(cli/top_rows LINK weft_cli_parts)
weft_unit(cli/top_order LINK weft_cli_parts)
weft_unit(cli/top_text LINK weft_cli_parts)
weft_unit(cli/top_layout LINK weft_cli_parts)
weft_unit(cli/top_print LINK weft_cli_parts)
weft_unit(cli/top_keys LINK weft_cli_parts)
weft_unit(cli/top_collector LINK weft_cli_parts)
weft_unit(cli/top_fetch LINK weft_cli_parts)
weft_unit(cli/top_windows LINK weft_cli_parts)
weft_unit(cli/top_report LINK weft_cli_parts)
weft_unit(cli/top_services LINK weft_cli_parts)
weft_fuzz(top LINK weft_cli_parts)
