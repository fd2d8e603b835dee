# check: stdio
import contextlib
import io

a, b = map(int, input().split())
kept = io.StringIO()
with contextlib.redirect_stdout(kept):
    print(a + b)
print(kept.getvalue(), end="")
