# class: 8 processes
# check: probe
# answer: {"unlimited": []}
# proof: every limit that bounds damage is set, hard
import resource

NEEDED = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_CORE", "RLIMIT_MSGQUEUE", "RLIMIT_MEMLOCK")


def solve():
    hard = {name: resource.getrlimit(getattr(resource, name))[1] for name in NEEDED}
    return {"unlimited": [name for name, limit in hard.items() if not 0 <= limit < 1 << 40]}
