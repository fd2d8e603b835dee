# check: stdio
import sys


def main():
    a, b = map(int, input().split())
    print(a + b)
    return 0


if __name__ == "__main__":
    sys.exit(main())
