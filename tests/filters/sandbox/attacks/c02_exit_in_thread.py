# class: 2 early or dirty exit
# check: calls
# reasons: no_result runtime_error wrong
# proof: a thread that ends the process ends it without results
import os
import threading
import time


def solve(a, b):
    threading.Thread(target=os._exit, args=(0,)).start()
    time.sleep(1)
    return 0
