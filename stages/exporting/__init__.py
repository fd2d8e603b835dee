"""Parts of the `export` step: row shapes, splits and the dataset card."""
