"""Functions that workers run in tests: some behave, some do what workers must survive."""

import os
import signal
import sys
import time

calls = 0


def double(job: int) -> int:
    return 2 * job


def nap_then_double(job: int) -> int:
    time.sleep((job * 7919 % 5) / 1000)  # later jobs often finish first
    return 2 * job


def spin_in_python() -> None:
    while True:
        pass


def spin_in_c() -> None:
    pow(3, 10**9)  # one C loop that never looks at Python's signal handlers


def eat_memory() -> int:
    return len(bytearray(1 << 40))


def eat_memory_by_and_by() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(1 << 24))


def leave() -> None:
    os._exit(3)


def segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def raise_value_error() -> None:
    raise ValueError("seven is not welcome")


def exit_politely() -> None:
    sys.exit(4)


def recurse() -> None:
    recurse()


def return_what_cannot_be_pickled() -> object:
    return lambda: None


def sleep_for_ever() -> None:
    time.sleep(3600)


def misbehave(job: str) -> object:
    """`ok:<n>` doubles n, anything else is the name of a function above."""
    if job.startswith("ok:"):
        return 2 * int(job[3:])
    return globals()[job]()


def crash_unless_first(job: str) -> object:
    """A job that fails only because of what ran before it in the same process."""
    global calls
    calls += 1
    if job == "needs a clean process" and calls > 1:
        os._exit(9)
    return job


def own_pid(_job: int) -> int:
    return os.getpid()


def report_pid_and_hang(path: str) -> None:
    """Say where we are, then be stuck in C with the interpreter locked."""
    with open(path, "a", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    spin_in_c()


def print_something(job: int) -> int:
    sys.stdout.write("this must not reach the standard output of the parent\n")
    sys.stdout.flush()
    return job


def fail_to_start() -> None:
    raise ImportError("no module named 'sympy'; install it")


def die_at_start() -> None:
    os._exit(7)
