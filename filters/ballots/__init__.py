"""Counting votes: of models about a completion, and of completions about an answer."""
