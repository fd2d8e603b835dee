"""One training from its rows to its last checkpoint: here or in several processes, resumed."""
