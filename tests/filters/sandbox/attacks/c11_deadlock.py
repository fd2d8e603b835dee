# class: 11 time
# check: calls
# reasons: timeout
# proof: killed at the wall limit
import threading


def solve(a, b):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
