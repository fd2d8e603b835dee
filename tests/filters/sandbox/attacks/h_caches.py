# check: calls
# cases: [[[80], 23416728348467685], [[5], 5]]
from functools import cache, lru_cache, reduce


@cache
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@lru_cache(maxsize=None)
def other(n):
    return reduce(lambda a, b: a + b, range(n))


def solve(n):
    other(n)
    return fibonacci(n)
