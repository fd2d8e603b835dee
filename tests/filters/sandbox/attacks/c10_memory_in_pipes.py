# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong
# proof: kernel memory in pipe buffers is bounded by descriptors
import fcntl
import os


def solve(a, b):
    total = 0
    try:
        while total < 256 << 20:
            reader, writer = os.pipe()
            try:
                fcntl.fcntl(writer, 1031, 1 << 20)
            except OSError:
                pass
            os.set_blocking(writer, False)
            while True:
                try:
                    total += os.write(writer, bytes(65536))
                except BlockingIOError:
                    break
    except OSError:
        pass
    return a + b if total > 64 << 20 else "limited"
