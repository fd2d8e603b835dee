# class: 8 processes
# check: stdio
# reasons: wrong runtime_error no_result
# proof: no process outlives the program: none can be made
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
print(5)
