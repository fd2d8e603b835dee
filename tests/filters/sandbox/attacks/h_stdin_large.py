# check: stdio
# cases: [["@LONG_INPUT@", "1000000\n"]]
import sys

print(len(sys.stdin.read()))
