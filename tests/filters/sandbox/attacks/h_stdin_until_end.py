# check: stdio
# cases: [["1\n2\n3\n", "6\n"], ["", "0\n"]]
total = 0
while True:
    try:
        total += int(input())
    except EOFError:
        break
print(total)
