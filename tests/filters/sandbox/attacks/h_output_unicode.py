# check: stdio
# cases: [["é 中\n", "中 é 😀\n"]]
print(*reversed(input().split()), "😀")
