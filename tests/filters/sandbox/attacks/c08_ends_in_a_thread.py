# class: 8 processes
# check: calls
# machine: x86_64
# reasons: timeout no_result runtime_error
# proof: a process whose first thread has ended, and another sleeps on, is ended
import ctypes
import threading
import time


def solve(a, b):
    threading.Thread(target=time.sleep, args=(600,)).start()
    ctypes.CDLL(None).syscall(60, 0)
