# class: 8 processes
# check: stdio
# reasons: timeout
# proof: right output, closed pipes and no end is no pass
import os

a, b = map(int, input().split())
print(a + b, flush=True)
os.closerange(0, 256)
while True:
    pass
