# class: 10 memory, disk and descriptors
# check: calls
# reasons: memory timeout wrong
# proof: who goes on after every MemoryError still stays below the limit
def solve(a, b):
    kept, size = [], 64 << 20
    while size > 4096:
        try:
            kept.append(bytearray(size))
        except MemoryError:
            size //= 2
    return 0
