# class: 11 time
# check: stdio
# patient: yes
# reasons: timeout runtime_error
# proof: a program that lowers its own limit and is killed by it is not unknown
import resource
import signal

signal.signal(signal.SIGXCPU, signal.SIG_IGN)
resource.prlimit(0, resource.RLIMIT_CPU, (0, 2))
while True:
    pass
