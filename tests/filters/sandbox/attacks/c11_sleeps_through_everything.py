# class: 11 time
# check: stdio
# reasons: timeout
# proof: a signal that interrupts the sleep changes nothing
import signal
import time

signal.signal(signal.SIGALRM, lambda *args: time.sleep(1e6))
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
while True:
    time.sleep(1e6)
