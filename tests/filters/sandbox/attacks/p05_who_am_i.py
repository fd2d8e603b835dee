# class: 5 secrets and the host's files
# check: probe
# answer: {"uid": [65534, 65534, 65534], "gid": [65534, 65534, 65534], "groups": true, "host": true, "capabilities": 0}
# machine: x86_64
# proof: real, effective and saved ids are nobody's; no capability; no name of the host
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def solve():
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    capabilities = list(data) if libc.syscall(125, header, data) == 0 else [0]
    return {
        "uid": list(os.getresuid()),
        "gid": list(os.getresgid()),
        "groups": set(os.getgroups()) <= {65534},
        "host": "@HOSTNAME@" != os.uname().nodename,
        "capabilities": sum(capabilities),
    }
