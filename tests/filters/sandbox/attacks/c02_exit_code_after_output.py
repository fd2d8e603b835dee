# class: 2 early or dirty exit
# check: stdio
# reasons: runtime_error
# proof: right output and exit status 3 is no pass
import sys

a, b = map(int, input().split())
print(a + b)
sys.exit(3)
