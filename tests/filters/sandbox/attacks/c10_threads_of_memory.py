# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong memory runtime_error
# proof: the stacks of many threads count too
import threading


def solve(a, b):
    threading.stack_size(64 << 20)
    started = 0
    gate = threading.Event()
    try:
        while started < 200:
            threading.Thread(target=gate.wait, daemon=True).start()
            started += 1
    except (RuntimeError, MemoryError):
        pass
    gate.set()
    return a + b if started == 200 else "limited"
