# check: stdio
import sys
import threading

sys.setrecursionlimit(10**6)
threading.stack_size(1 << 27)


def depth(left):
    return 0 if left == 0 else 1 + depth(left - 1)


def main():
    a, b = map(int, input().split())
    depth(100_000)
    print(a + b)


thread = threading.Thread(target=main)
thread.start()
thread.join()
