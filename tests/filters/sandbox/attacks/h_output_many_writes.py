# check: stdio
# cases: [["1000\n", "@THOUSAND_LINES@"]]
import sys

for number in range(int(input())):
    print(number, flush=number % 2 == 0)
    sys.stdout.flush()
