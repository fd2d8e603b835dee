# class: 12 what the parent must read
# check: calls
# reasons: runtime_error wrong memory timeout
# proof: parsers in C that run out of stack take only the program with them
import ast
import json
import pickle
import sys

sys.setrecursionlimit(10**8)


def solve(a, b):
    try:
        json.loads("[" * 10**6)
    except RecursionError:
        pass
    try:
        ast.literal_eval("(" * 10**5)
    except (RecursionError, MemoryError, SyntaxError):
        pass
    found = []
    for _ in range(10**6):
        found = [found]
    return len(pickle.dumps(found))
