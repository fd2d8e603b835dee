# check: stdio
import threading
import time

a, b = map(int, input().split())


def late():
    time.sleep(0.1)
    print(a + b)


threading.Thread(target=late).start()
