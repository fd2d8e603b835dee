# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result runtime_error timeout
# proof: a child whose exit functions do nothing does not become the process that forks
import ctypes
import os
import sys

os._exit = sys.exit = os.abort = lambda *args: None
ctypes.CDLL = None


def solve(a, b):
    return 0
