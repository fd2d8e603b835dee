"""Training on groups of completions of one problem, scored by the project's filters (grpo)."""
