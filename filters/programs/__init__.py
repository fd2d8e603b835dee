"""What a completion's program is, what its key asks of it, and whether what came back is right.

Text and data only: nothing here starts a process. Programs run in `filters/sandbox/`.
"""
