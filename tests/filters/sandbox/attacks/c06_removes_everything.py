# class: 6 the host's files and devices
# check: calls
# reasons: wrong runtime_error no_result timeout
# proof: the host's files are all there afterwards, and the next program runs
import os
import shutil


def solve(a, b):
    if os.path.exists("@WITNESS@"):  # not isolated: removing would cost this machine
        return a + b
    shutil.rmtree("/", ignore_errors=True)
    return "removed what could be"
