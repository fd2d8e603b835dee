# check: stdio
# cases: [["2 3\r\n4\r\n", "9\n"], ["2 3\n4\n", "9\r\n"]]
a, b = map(int, input().split())
print(a + b + int(input()))
