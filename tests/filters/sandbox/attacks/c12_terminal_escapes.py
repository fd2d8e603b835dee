# class: 12 what the parent must read
# check: stdio
# reasons: runtime_error
# proof: nothing that a terminal would obey reaches the evidence
import sys

print("\x1b]0;owned\x07\x1b[2J\u202e\u2066\x9b31m<script>alert(1)</script>")
sys.exit("\x1b[31mred\x07\u2028")
