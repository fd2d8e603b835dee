# class: 2 early or dirty exit
# check: stdio
# reasons: runtime_error
# proof: the traceback through the library tells no place of this machine
import json

json.loads("")
