"""Texts that run in circles: loops, what was said before, and endless self-doubt."""
