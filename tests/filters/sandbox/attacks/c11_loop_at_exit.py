# class: 11 time
# check: stdio
# reasons: timeout
# proof: a script that never finishes its exit has not ended
import atexit

a, b = map(int, input().split())
print(a + b, flush=True)


@atexit.register
def burn():
    while True:
        pass
