# class: 12 what the parent must read
# check: stdio
# reasons: output_limit
# proof: the parent stops reading at the limit
import sys

while True:
    sys.stderr.write("x" * 65536)
