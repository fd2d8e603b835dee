# class: 2 early or dirty exit
# check: stdio
# reasons: runtime_error
# proof: right output and a crash is no pass
import ctypes

a, b = map(int, input().split())
print(a + b, flush=True)
ctypes.string_at(1)
