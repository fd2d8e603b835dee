# class: 10 memory, disk and descriptors
# check: calls
# reasons: memory runtime_error no_result timeout wrong
# proof: a program without any stack, files or memory left breaks only itself
import resource


def solve(a, b):
    for name in ("RLIMIT_STACK", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_AS", "RLIMIT_NPROC"):
        try:
            resource.setrlimit(getattr(resource, name), (1, 1))
        except (ValueError, OSError):
            pass
    return [bytearray(1 << 20) for _ in range(100)]
