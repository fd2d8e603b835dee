# class: 5 secrets and the host's files
# check: calls
# reasons: wrong
# teeth: yes
# proof: links, hard links and directory descriptors lead nowhere outside
import os
import tempfile


def attempts():
    place = tempfile.mkdtemp()
    os.symlink("@SECRET@", place + "/soft")
    yield lambda: open(place + "/soft").read()
    os.symlink("/", place + "/root")
    yield lambda: open(place + "/root@SECRET@").read()

    def hard():
        os.link("@SECRET@", place + "/hard")
        return open(place + "/hard").read()

    yield hard

    def above():
        for _ in range(40):
            os.chdir("..")
        return open("@SECRET@"[1:]).read()

    yield above
    for descriptor in range(64):
        yield lambda: os.fdopen(os.open("@SECRET@"[1:], os.O_RDONLY, dir_fd=descriptor)).read()


def solve(a, b):
    for attempt in attempts():
        try:
            if "CANARY-" in attempt():
                return a + b
        except (OSError, ValueError):
            pass
    return "blocked"
