# class: 3 forging the channel
# check: calls
# reasons: wrong protocol_violation no_result runtime_error
# proof: the functions of the harness, replaced where they can be found, make nothing right
import gc
import sys
import types


def right(*args, **kwargs):
    return 5


for name, module in list(sys.modules.items()):
    if name in ("__main__", "harness") or "harness" in str(getattr(module, "__file__", "")):
        for attribute, value in list(vars(module).items()):
            if isinstance(value, types.FunctionType) and value is not right:
                setattr(module, attribute, right)
for found in gc.get_objects():
    if isinstance(found, types.FunctionType) and "harness" in found.__code__.co_filename:
        try:
            found.__code__ = right.__code__
        except ValueError:
            pass


def solve(a, b):
    return 0
