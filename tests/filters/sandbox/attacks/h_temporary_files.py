# check: calls
import os
import tempfile


def solve(a, b):
    with open("notes.txt", "w") as file:
        file.write(f"{a} {b}")
    with open("notes.txt") as file:
        total = sum(map(int, file.read().split()))
    os.remove("notes.txt")
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x" * 100_000)
    return total
