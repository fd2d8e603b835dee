# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong memory runtime_error
# proof: mappings, shared and private, count towards the limit
import mmap


def solve(a, b):
    kept = []
    try:
        while len(kept) < 512:
            block = mmap.mmap(-1, 16 << 20, flags=mmap.MAP_SHARED if len(kept) % 2 else mmap.MAP_PRIVATE)
            block[:: mmap.PAGESIZE] = b"x" * len(block[:: mmap.PAGESIZE])
            kept.append(block)
    except (OSError, MemoryError, ValueError):
        pass
    return a + b if len(kept) > 64 else "limited"
