# class: 1 equality and type lies
# check: calls
# cases: [[["a"], "key-4711"], [["b"], "key-4712"]]
# reasons: wrong
# proof: the characters that the object holds are compared, not what its methods say
class Sly(str):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash("key-4711")

    def __str__(self):
        return "key-4711"

    __repr__ = __str__

    def encode(self, *args):
        return b"key-4711"

    def __iter__(self):
        return iter("key-4711")

    def __getitem__(self, index):
        return "key-4711"[index]

    def __len__(self):
        return 8


def solve(a):
    return Sly("")
