# class: 9 kernel surface
# check: probe
# machine: x86_64
# answer: {"done": [], "other": {}}
# proof: each is refused with EPERM before the kernel looks at its arguments
import ctypes
import errno

libc = ctypes.CDLL(None, use_errno=True)
CALLS = """kill 62 tkill 200 tgkill 234 rt_sigqueueinfo 129 rt_tgsigqueueinfo 297 setpriority 141
sched_setparam 142 sched_setscheduler 144 sched_setaffinity 203 sched_setattr 314 ioprio_set 251
timer_create 222 timer_settime 223 timer_delete 226 timerfd_create 283 socket 41 connect 42
accept 43 sendmsg 46 recvmsg 47 bind 49 listen 50 setsockopt 54 accept4 288 recvmmsg 299
sendmmsg 307 chown 92 fchown 93 lchown 94 fchownat 260 splice 275 tee 276 mlock 149
mlockall 151 mlock2 325 mincore 27 remap_file_pages 216 get_robust_list 274 restart 1000
setsid 112 setpgid 109 getpmsg 181 readahead 187 eventfd2 290 membarrier 324""".split()
ABSENT = {"restart"}
"""Numbers that no kernel has yet are answered with ENOSYS."""


def solve():
    done, other = [], {}
    for name, number in zip(CALLS[::2], CALLS[1::2], strict=True):
        ctypes.set_errno(0)
        if libc.syscall(int(number), -1, -1, -1, 0, 0, 0) >= 0:
            done.append(name)
        elif (code := ctypes.get_errno()) != (errno.ENOSYS if name in ABSENT else errno.EPERM):
            other[name] = errno.errorcode[code]
    return {"done": done, "other": other}
