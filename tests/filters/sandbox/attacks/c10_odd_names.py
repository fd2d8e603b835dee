# class: 10 memory, disk and descriptors
# check: calls
# reasons: wrong
# proof: names that are no text, too long, or look like options are cleared away
import os

NAMES = [b"\xff\xfe", b"-rf", b"a\nb", b"\x1b[2J", b"." * 255, b" ", "\u202e\u200d".encode(), b"*", b"$(id)"]


def solve(a, b):
    for name in NAMES:
        with open(b"/tmp/" + name, "w") as file:
            file.write("x")
    for act in (
        lambda: os.symlink("/", "/tmp/root"),
        lambda: os.symlink("/tmp/loop", "/tmp/loop"),
        lambda: os.symlink("/usr", "/tmp/dir"),
        lambda: os.mkfifo("/tmp/fifo"),
        lambda: os.link("/tmp/ ", "/tmp/hard"),
    ):
        try:
            act()
        except OSError:
            pass
    return 0
