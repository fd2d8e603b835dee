"""Steps on data. `STAGES` is the explicit table from name to class."""
