"""Template lint with proof: what a student will see, checked on its tokens before any training.

potstill trains the served prompt, the completion and one end of turn, so many faults of the field
cannot happen here. That is not taken on trust: the checks look at tokens and labels, and they tell
what any other trainer or server would do with the same template. Each finding names its row and
shows the tokens. `lint_rows` is all that a training step needs.
"""

from .checks import CHECKS
from .finding import Excerpt, Fault, Finding, Severity
from .lint import lint_rows
from .linted import longest_input, server_stop_ids
from .report import Found, Report

__all__ = [
    "CHECKS",
    "Excerpt",
    "Fault",
    "Finding",
    "Found",
    "Report",
    "Severity",
    "lint_rows",
    "longest_input",
    "server_stop_ids",
]
