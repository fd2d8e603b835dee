"""Which language the words of a text are in: scripts, words, masks, and a library for the rest."""
