# class: 3 forging the channel
# check: stdio
# reasons: wrong no_result
# proof: stderr is not stdout
import sys

a, b = map(int, input().split())
print(a + b, file=sys.stderr)
