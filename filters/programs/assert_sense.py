"""Does a key's code ask anything of the program that it is run with?

A code whose asserts nobody calls lets every program pass, one that brings a function of the entry
point's name tests that one, and one whose `check` cannot be called fails every program. Such keys
are unreadable: no verdict could be believed.
"""

from __future__ import annotations

import ast

from .assert_names import Names, bound_at_top

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def must_ask(entry_point: str, tree: ast.Module, names: Names) -> ast.FunctionDef | None:
    """The function `check` of the code, if it has one.

    Raises:
        ValueError: the code asks nothing that could be believed.
    """
    name = entry_point.partition(".")[0]
    if bound_at_top(tree.body)[name]:
        raise ValueError(f"code: binds {name!r} itself, which is to be the program's")
    if not _can_refuse(tree):
        raise ValueError("code: nothing in it is asserted, so every program would pass")
    if never := _never_called(tree, names):
        raise ValueError(f"code: function {never!r} asserts something and is never called")
    checks = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    checks = [each for each in checks if each.name == "check"]
    if not checks:
        return None
    given = checks[0].args
    required = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    if len(checks) > 1 or required != 1 or given.posonlyargs or given.kwonlyargs:
        raise ValueError("code: expected one function check with one argument, the candidate")
    return checks[0]


def _never_called(tree: ast.Module, names: Names) -> str | None:
    """A function, or a method, that asserts something and that nothing names."""
    for node in ast.walk(tree):
        if (
            isinstance(node, _Function)
            and node.name != "check"
            and not node.name.startswith("__")
            and node.name not in names.read
            and node.name not in names.attributes
            and _can_refuse(node)
        ):
            return node.name
    return None


def _can_refuse(tree: ast.AST) -> bool:
    """Whether something in there could say that a value is wrong."""
    return any(
        isinstance(node, ast.Assert | ast.Raise)
        or (isinstance(node, ast.Attribute) and node.attr.startswith("assert"))
        for node in ast.walk(tree)
    )
