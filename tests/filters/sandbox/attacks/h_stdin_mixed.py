# check: stdio
# cases: [["2\n3\n5 6\n", "16\n"]]
import sys

first = int(input())
second = int(next(sys.stdin))
print(first + second + sum(map(int, sys.stdin.readline().split())))
