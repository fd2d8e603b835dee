"""Which option of a multiple-choice problem an answer decides for."""
