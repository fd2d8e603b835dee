# class: 6 the host's files and devices
# check: calls
# reasons: wrong
# teeth: yes
# proof: the folder of the host that all may write to stays as it was
import os


def solve(a, b):
    done = []
    for act in (
        lambda: open("@WITNESS@/written", "w").write("x"),
        lambda: os.mkdir("@WITNESS@/made"),
        lambda: os.unlink("@SECRET@"),
        lambda: os.rename("@SECRET@", "@WITNESS@/renamed"),
        lambda: os.truncate("@SECRET@", 0),
        lambda: os.chmod("@SECRET@", 0),
        lambda: os.symlink("/etc/passwd", "@WITNESS@/link"),
        lambda: os.mkfifo("@WITNESS@/fifo"),
    ):
        try:
            act()
            done.append(act)
        except OSError:
            pass
    return a + b if done else "blocked"
