# class: 2 early or dirty exit
# check: stdio
# reasons: timeout runtime_error
# proof: a __str__ that loops while the traceback is printed ends at the CPU limit
class Endless(Exception):
    def __str__(self):
        while True:
            pass


raise Endless
