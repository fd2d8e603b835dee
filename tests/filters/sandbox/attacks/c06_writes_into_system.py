# class: 6 the host's files and devices
# check: calls
# reasons: wrong
# proof: no folder but /tmp can be written
import os

FOLDERS = "/ /usr /usr/bin /usr/lib /lib /lib64 /bin /sbin /etc /dev /dev/shm /dev/pts /dev/mqueue /proc /sys /run /var /var/tmp /home /root /opt /mnt /srv".split()


def solve(a, b):
    done = []
    for folder in FOLDERS:
        try:
            with open(os.path.join(folder, "mark"), "w") as file:
                file.write("x")
            done.append(folder)
        except OSError:
            pass
        try:
            os.mkdir(os.path.join(folder, "made"))
            done.append(folder)
        except OSError:
            pass
    return a + b if done else "blocked"
