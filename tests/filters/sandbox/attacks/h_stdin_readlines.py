# check: stdio
import sys

input = sys.stdin.readline
print(sum(map(int, input().split())))
