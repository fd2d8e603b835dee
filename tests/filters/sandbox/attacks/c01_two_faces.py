# class: 1 equality and type lies
# check: calls
# cases: [[[[3, 1, 2]], [1, 2, 3]], [[[2, 1]], [1, 2]]]
# reasons: wrong runtime_error memory timeout
# proof: an object that changes while it is looked at is still no right answer
class Restless(list):
    def __iter__(self):
        while True:
            yield 1

    def __length_hint__(self):
        return 1 << 60

    def __len__(self):
        self.append(0)
        return 3

    def __reduce_ex__(self, protocol):
        return (list, ([1, 2, 3],))


def solve(numbers):
    return Restless()
