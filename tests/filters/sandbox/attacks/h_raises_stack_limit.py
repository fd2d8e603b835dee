# check: stdio
import resource
import sys

resource.setrlimit(resource.RLIMIT_STACK, (0x10000000, resource.RLIM_INFINITY))
sys.setrecursionlimit(0x100000)
a, b = map(int, input().split())
print(a + b)
