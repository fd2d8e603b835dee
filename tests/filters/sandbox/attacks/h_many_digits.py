# check: stdio
# cases: [["5000\n", "15051\n"]]
import sys

sys.set_int_max_str_digits(0)
print(len(str(2 ** (10 * int(input()) - 2))))
