"""Parts of the `mix` step: units, amounts, token counts, the shuffle on disk and the report."""
