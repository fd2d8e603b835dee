# check: stdio
import io
import os

input = io.BytesIO(os.read(0, os.fstat(0).st_size)).readline
print(sum(map(int, input().split())))
