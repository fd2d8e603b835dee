# class: 5 secrets and the host's files
# check: calls
# reasons: wrong
# teeth: yes
# proof: accounts, keys, logs, devices and settings of the host are not there
import glob
import os

PLACES = """/etc/shadow /etc/passwd /etc/hostname /etc/hosts /etc/machine-id /etc/resolv.conf /etc/ssh
@HOME@/.ssh @HOME@/.bash_history @HOME@/.netrc @HOME@/.config @HOME@/.aws @HOME@/.cache /home/* /var/log
/var/lib /run/* /sys/kernel /sys/class/net /proc/cpuinfo /dev/sd* /dev/vd* /dev/mem /dev/kmsg /dev/kvm
/boot /opt /srv /mnt/* /media/* /usr/local/etc /workspace /.dockerenv /lost+found /@WITNESS@""".split()


def solve(a, b):
    found = [path for place in PLACES for path in glob.glob(place)]
    return a + b if [path for path in found if readable(path)] else "blocked"


def readable(path):
    try:
        if os.path.isdir(path):
            return bool(os.listdir(path))
        with open(path, "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False
