# class: 2 early or dirty exit
# check: calls
# reasons: runtime_error
# proof: naming what was raised runs no code of the program that could end or confuse the harness
class Meta(type):
    @property
    def __name__(cls):
        raise SystemExit(0)

    def __repr__(cls):
        raise SystemExit(0)

    def __str__(cls):
        raise SystemExit(0)

    def __instancecheck__(cls, instance):
        raise SystemExit(0)

    def __subclasscheck__(cls, subclass):
        raise SystemExit(0)


class Sly(Exception, metaclass=Meta):
    @property
    def __class__(self):
        raise SystemExit(0)

    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__

    @property
    def __traceback__(self):
        raise SystemExit(0)

    @property
    def args(self):
        raise SystemExit(0)


def solve(a, b):
    raise Sly
