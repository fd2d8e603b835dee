# class: 3 forging the channel
# check: stdio
# reasons: wrong no_result
# proof: an object in place of sys.stdout swallows the output, and nothing came
import sys


class Silent:
    def write(self, text):
        return len(text)

    def flush(self):
        pass


a, b = map(int, input().split())
sys.stdout = sys.__stdout__ = Silent()
print(a + b)
