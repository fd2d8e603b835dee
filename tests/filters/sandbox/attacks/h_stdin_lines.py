# check: stdio
# cases: [["2\n3\n", "5\n"], ["10\n-4", "6"]]
import sys

print(sum(int(line) for line in sys.stdin))
