"""Whatever speaks to a model or a tokenizer: teachers, journal, sampling, rendering."""
