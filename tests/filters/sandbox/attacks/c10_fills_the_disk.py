# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong
# proof: /tmp is small and its end is ENOSPC; the next program has it empty
import os


def solve(a, b):
    written, number = 0, 0
    try:
        while written < 1 << 30:
            number += 1
            with open(f"/tmp/{number}", "wb") as file:
                for _ in range(8):
                    written += file.write(bytes(1 << 20))
    except OSError:
        pass
    return a + b if written > 64 << 20 else "limited"
