# class: 12 what the parent must read
# check: stdio
# reasons: wrong
# proof: bytes that are no UTF-8 are a wrong output and not an exception
import sys

sys.stdout.buffer.write(b"5\xff\xfe\xc0\x80\xed\xa0\x80\n")
