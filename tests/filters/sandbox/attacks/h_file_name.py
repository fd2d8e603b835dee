# check: stdio
import os
import sys

folder = os.path.dirname(os.path.abspath(__file__))
sys.path.append(folder)
a, b = map(int, input().split())
print(a + b)
