# class: 6 the host's files and devices
# check: calls
# reasons: runtime_error
# proof: a crash after raising the core limit leaves no core file anywhere
import ctypes
import resource


def solve(a, b):
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
    except (OSError, ValueError):
        pass
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    return ctypes.string_at(1)
