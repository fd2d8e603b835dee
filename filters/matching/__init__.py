"""Finding given words in a text as a reader would: folded characters, whole words."""
