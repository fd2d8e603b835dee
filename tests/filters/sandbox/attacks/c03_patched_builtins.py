# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result runtime_error
# proof: names that the harness may look up late are not trusted
import builtins

for name in ("isinstance", "issubclass", "callable", "all", "any"):
    setattr(builtins, name, lambda *args: True)
for name in ("repr", "str", "format", "ascii", "hex"):
    setattr(builtins, name, lambda *args: "5")
for name in ("len", "id", "hash", "ord", "abs"):
    setattr(builtins, name, lambda *args: 5)
builtins.print = builtins.open = lambda *args, **kwargs: None
builtins.type = lambda *args: int
builtins.int = builtins.float = lambda *args: 5
builtins.enumerate = lambda *args: iter(())
builtins.range = lambda *args: iter(())
builtins.getattr = lambda *args: (lambda *args, **kwargs: 5)


def solve(a, b):
    return 0
