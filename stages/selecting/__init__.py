"""Parts of the `select` step: scores, caps, groups, rates, choices, orders and pairs."""
