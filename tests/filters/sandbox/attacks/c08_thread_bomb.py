# class: 8 processes
# check: calls
# reasons: wrong runtime_error timeout memory
# proof: threads end at a limit, and all of them end with the program
import threading
import time


def bomb():
    while True:
        try:
            threading.Thread(target=bomb, daemon=True).start()
        except RuntimeError:
            time.sleep(0.01)


def solve(a, b):
    for _ in range(2000):
        try:
            threading.Thread(target=bomb, daemon=True).start()
        except RuntimeError:
            break
    time.sleep(0.2)
    return 0
