# check: calls
def solve(a, b):
    return a + b


if __name__ == "__main__":
    print(solve(*map(int, input().split())))
    raise SystemExit(1)
