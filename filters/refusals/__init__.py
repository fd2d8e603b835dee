"""How assistants refuse and speak about themselves, in English and Chinese."""
