"""Running programs that nobody has read: in isolation, with limits, or not at all.

`execution.py` says what may be asked and what comes back. What a program is asked and whether its
values are right is decided outside, in `filters/programs/`: expected values never come here.
"""
