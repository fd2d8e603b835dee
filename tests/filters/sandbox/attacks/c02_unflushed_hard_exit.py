# class: 2 early or dirty exit
# check: stdio
# reasons: wrong no_result
# proof: what was never written does not count
import os

a, b = map(int, input().split())
print(a + b)
os._exit(0)
