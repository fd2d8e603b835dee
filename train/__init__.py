"""Steps on models. `TRAINERS` is the explicit table from name to class."""
