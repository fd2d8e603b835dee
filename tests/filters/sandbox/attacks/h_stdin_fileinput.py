# check: stdio
import fileinput

for line in fileinput.input():
    print(sum(map(int, line.split())))
