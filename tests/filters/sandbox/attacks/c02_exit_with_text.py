# class: 2 early or dirty exit
# check: stdio
# reasons: runtime_error
# proof: SystemExit with a text is exit status 1
a, b = map(int, input().split())
print(a + b)
raise SystemExit("done")
