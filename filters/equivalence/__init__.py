"""Are two mathematical answers equal? Exact forms first, a guard, then a symbolic algebra.

`math_check.py` is the way in; it is called in killable workers only.
"""
