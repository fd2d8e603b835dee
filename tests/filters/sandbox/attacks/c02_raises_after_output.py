# class: 2 early or dirty exit
# check: stdio
# reasons: runtime_error
# proof: right output and a traceback is no pass
a, b = map(int, input().split())
print(a + b)
raise ValueError("afterwards")
