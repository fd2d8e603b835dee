# class: 11 time
# check: calls
# reasons: timeout
# proof: CPU time is that of all threads together
import threading
import zlib


def burn():
    data = bytes(1 << 22)
    while True:
        zlib.compress(data)


def solve(a, b):
    for _ in range(8):
        threading.Thread(target=burn, daemon=True).start()
    burn()
