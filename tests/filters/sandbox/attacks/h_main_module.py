# check: stdio
import __main__

a, b = map(int, input().split())
print(__main__.a + __main__.b)
