"""Judges: one file per judgement. `FILTERS` is the explicit table from name to class."""
