# class: 10 memory, disk and descriptors
# check: calls
# patient: yes
# reasons: memory timeout wrong runtime_error
# proof: heap, shared mappings, files, inodes and pipes together are still the program's doing
import mmap
import os


def fill(act):
    kept = []
    try:
        while True:
            kept.append(act(len(kept)))
    except (OSError, MemoryError, ValueError):
        return kept


def block(number):
    mapped = mmap.mmap(-1, 4 << 20)
    mapped[:: mmap.PAGESIZE] = b"x" * len(mapped[:: mmap.PAGESIZE])
    return mapped


def file(number):
    with open(f"/tmp/big{number}", "wb") as opened:
        opened.write(bytes(8 << 20))


def solve(a, b):
    kept = [fill(file), fill(lambda number: os.pipe()), fill(block)]
    kept.append(fill(lambda number: os.symlink("t" * 4000, f"/tmp/{number:0200d}")))
    kept.append(fill(lambda number: os.close(os.open(f"/tmp/{number}", os.O_CREAT))))
    return len(kept)
