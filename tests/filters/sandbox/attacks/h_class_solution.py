# check: calls
# entry: Solution.solve
from typing import List, Optional


class Solution:
    def solve(self, a: int, b: Optional[int] = None) -> List[int]:
        return self.helper(a) + b

    def helper(self, a):
        return a
