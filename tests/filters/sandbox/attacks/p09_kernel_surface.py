# class: 9 kernel surface
# check: probe
# machine: x86_64
# answer: {"done": [], "other": {"clone3": "ENOSYS"}}
# proof: each is refused with EPERM before the kernel looks at its arguments; clone3 with ENOSYS
import ctypes
import errno

libc = ctypes.CDLL(None, use_errno=True)
CALLS = """ptrace 101 syslog 103 uselib 134 personality 135 ustat 136 vhangup 153 modify_ldt 154
pivot_root 155 _sysctl 156 adjtimex 159 chroot 161 acct 163 settimeofday 164 mount 165 umount2 166
swapon 167 swapoff 168 reboot 169 sethostname 170 setdomainname 171 iopl 172 ioperm 173
create_module 174 init_module 175 delete_module 176 quotactl 179 nfsservctl 180
lookup_dcookie 212 clock_settime 227 mbind 237 set_mempolicy 238 mq_open 240 mq_unlink 241
mq_timedsend 242 mq_timedreceive 243 mq_notify 244 kexec_load 246 add_key 248 request_key 249
keyctl 250 inotify_init 253 migrate_pages 256 unshare 272 vmsplice 278 move_pages 279
signalfd 282 signalfd4 289 inotify_init1 294 perf_event_open 298 fanotify_init 300
fanotify_mark 301 name_to_handle_at 303 open_by_handle_at 304 clock_adjtime 305 setns 308
process_vm_readv 310 process_vm_writev 311 kcmp 312 finit_module 313 seccomp 317
memfd_create 319 kexec_file_load 320 bpf 321 execveat 322 userfaultfd 323 pkey_mprotect 329
io_pgetevents 333 pidfd_send_signal 424 io_uring_setup 425 io_uring_enter 426
io_uring_register 427 open_tree 428 move_mount 429 fsopen 430 fsconfig 431 fsmount 432 fspick 433
pidfd_open 434 clone3 435 pidfd_getfd 438 process_madvise 440 mount_setattr 442 quotactl_fd 443
landlock_create_ruleset 444 memfd_secret 447 process_mrelease 448 shmget 29 shmat 30 shmctl 31
semget 64 semop 65 semctl 66 shmdt 67 msgget 68 msgsnd 69 msgrcv 70 msgctl 71 semtimedop 220
io_setup 206 io_destroy 207 io_submit 209 mknod 133 mknodat 259 setuid 105 setgid 106
setreuid 113 setregid 114 setgroups 116 setresuid 117 setresgid 119 setfsuid 122 setfsgid 123
capset 126""".split()
MAY_DIFFER = {"setuid", "setgid", "setreuid", "setregid", "setgroups", "setresuid", "setresgid", "setfsuid", "setfsgid", "capset"}
"""To become whom one is already changes nothing."""
NOBODY = 65534


def solve():
    done, other = [], {}
    for name, number in zip(CALLS[::2], CALLS[1::2], strict=True):
        argument = NOBODY if name in MAY_DIFFER else -1
        ctypes.set_errno(0)
        if libc.syscall(int(number), argument, argument, argument, 0, 0, 0) >= 0:
            if name not in MAY_DIFFER:
                done.append(name)
        elif (code := ctypes.get_errno()) != errno.EPERM and name not in MAY_DIFFER:
            other[name] = errno.errorcode[code]
    return {"done": done, "other": other}
