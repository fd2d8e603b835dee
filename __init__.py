"""potstill: distil a reasoning teacher into a small reasoning student.

The repository root is this package (see pyproject.toml). Importing it loads nothing heavy.
"""

__version__ = "0.1.0"
