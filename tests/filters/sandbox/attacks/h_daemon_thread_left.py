# check: calls
import threading
import time

threading.Thread(target=time.sleep, args=(30,), daemon=True).start()


def solve(a, b):
    return a + b
