# class: 11 time
# check: stdio
# reasons: timeout
# proof: a script whose thread never ends has not ended
import threading

a, b = map(int, input().split())
print(a + b, flush=True)


def burn():
    while True:
        pass


threading.Thread(target=burn).start()
