# class: 11 time
# check: calls
# patient: yes
# reasons: timeout runtime_error
# proof: a program that lowers its own limit and is killed by it is not unknown
import resource


def solve(a, b):
    resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    while True:
        pass
