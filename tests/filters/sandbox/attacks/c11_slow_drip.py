# class: 11 time
# check: stdio
# reasons: timeout
# proof: output that trickles resets no clock
import time

while True:
    print("5", flush=True)
    time.sleep(0.05)
