# check: stdio
import sys
import warnings

a, b = map(int, input().split())
warnings.warn("careful")
print("debug", file=sys.stderr)
print(a + b)
