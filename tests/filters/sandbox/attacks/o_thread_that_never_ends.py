# class: 8 processes
# check: calls
# odd: yes
# reasons: pass timeout
# proof: the values are right and told; whether the process would end by itself is not asked
import threading


def burn():
    while True:
        pass


threading.Thread(target=burn).start()


def solve(a, b):
    return a + b
