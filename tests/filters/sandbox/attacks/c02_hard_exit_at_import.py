# class: 2 early or dirty exit
# check: calls
# reasons: no_result runtime_error
# proof: exit status 0 without results is no pass
import os

os._exit(0)
