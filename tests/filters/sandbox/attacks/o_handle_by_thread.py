# class: 2 early or dirty exit
# check: calls
# odd: yes
# reasons: pass runtime_error
# proof: a thread that raises beside right values
import threading


def solve(a, b):
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    return a + b
