# check: calls
import getpass
import locale
import os
import platform
import sys


def solve(a, b):
    os.getcwd()
    os.getpid()
    os.cpu_count()
    os.environ.get("HOME")
    os.listdir()
    platform.system()
    platform.python_version()
    locale.getpreferredencoding()
    sys.getrecursionlimit()
    assert getpass
    assert sys.stdin is not None
    assert __name__ in sys.modules
    return a + b
