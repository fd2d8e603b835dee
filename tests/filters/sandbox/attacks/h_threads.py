# check: calls
import threading
from concurrent.futures import ThreadPoolExecutor
from queue import Queue


def solve(a, b):
    queue = Queue()
    worker = threading.Thread(target=lambda: queue.put(b))
    worker.start()
    worker.join()
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(lambda number: number, [a, queue.get()]))
