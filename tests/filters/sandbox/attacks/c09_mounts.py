# class: 9 kernel surface
# check: calls
# reasons: wrong
# proof: nothing is mounted, remounted, bound or taken away
import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def solve(a, b):
    done = [
        libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
        libc.mount(b"proc", b"/tmp", b"proc", 0, None),
        libc.mount(b"none", b"/", None, 32, None),
        libc.mount(b"/usr", b"/tmp", None, 4096, None),
        libc.umount2(b"/usr", 2),
        libc.umount2(b"/tmp", 2),
        libc.umount2(b"/", 2),
    ]
    return a + b if 0 in done else "blocked"
