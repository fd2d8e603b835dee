r"""Read one mathematical expression, LaTeX or plain, into a small tree; refuse what is not clear.

Only what has one usual reading is read: `\frac12`, `2\sqrt{3}`, `2 1/2`, `\sin^2 x`, `x(x+1)`,
`\log_2 8`, `\binom{5}{2}`, `|x-1|`, `45^\circ`. Everything else raises `Unclear`: `x/2y` may be
x/2 times y or x over 2y, `f(2)` a value or a product, and words are no product of their letters.
The reader is faster than a grammar of all LaTeX by three orders and never guesses; what it refuses
is read by math-verify (`math_check.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from .formula import Call, Expression, Symbol, Unclear
from .formula_tokens import CONSTANTS, FUNCTIONS, GREEK, Token, tokens

DEEPEST = 40
"""Nested calls of the reader; Python's own limit is a thousand frames."""
_CALLED_LETTERS = frozenset("fghFGHP")
_CALLED_GREEK = frozenset({"Gamma", "zeta", "phi", "varphi", "sigma", "tau", "psi", "Phi"})
_PAIRS = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "lfloor": "rfloor", "lceil": "rceil"}
_PAIRS |= {"lvert": "rvert", "|": "|"}


@lru_cache(maxsize=8192)
def read_expression(text: str) -> Expression:
    """The tree of a tidied text.

    Raises:
        Unclear: it is no expression, or one with more than one usual reading.
    """
    reader = _Reader(tokens(text))
    found = reader.sum()
    reader.expect_end()
    return found


class _Reader:
    """Recursive descent; every method consumes what it returns the tree of."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._bars = 0
        """How many `|` are open: the next one closes."""

    def sum(self) -> Expression:
        return self._deeper(self._terms)

    def _terms(self) -> Expression:
        terms = [self._signed()]
        while (sign := self._peek()) in ("+", "-"):
            self._at += 1
            term = self._product()
            terms.append(Call("neg", (term,)) if sign == "-" else term)
        return terms[0] if len(terms) == 1 else Call("add", tuple(terms))

    def expect_end(self) -> None:
        if self._at < len(self._tokens):
            raise Unclear(f"unexpected {self._tokens[self._at].text!r}")

    def _signed(self) -> Expression:
        sign = self._peek()
        if sign in ("+", "-"):
            self._at += 1
            term = self._product()
            return Call("neg", (term,)) if sign == "-" else term
        return self._product()

    def _product(self) -> Expression:
        """Factors, joined by signs or by standing side by side."""
        product = self._factor()
        plain = isinstance(product, Fraction)
        while True:
            sign = self._peek()
            if sign in ("*", "cdot", "times", "ast"):
                self._at += 1
                product, plain = Call("mul", (product, self._after_sign())), False
            elif sign in ("/", "div"):
                self._at += 1
                below = self._after_sign()
                product = Call("div", (product, below))
                if self._begins_factor() and not (plain and isinstance(below, Fraction)):
                    raise Unclear("what belongs to the denominator?")
                plain = False
            elif self._begins_factor():
                if self._tokens[self._at].kind == "number":
                    raise Unclear("two numbers side by side")
                product, plain = Call("mul", (product, self._factor())), False
            else:
                return product

    def _after_sign(self) -> Expression:
        """A factor that may carry a sign of its own: `2*-3`."""
        if self._peek() == "-":
            self._at += 1
            return Call("neg", (self._factor(),))
        return self._factor()

    def _factor(self) -> Expression:
        """An atom with its powers, factorials, degrees and percent signs."""
        base = self._atom()
        while (sign := self._peek()) in ("^", "**", "!", "%", "'"):
            self._at += 1
            if sign == "!" and self._peek() == "!":
                raise Unclear("a double factorial")
            if sign == "!":
                base = Call("factorial", (base,))
            elif sign == "%":
                base = Call("div", (base, Fraction(100)))
            elif sign == "'":
                raise Unclear("a prime")
            elif self._peek() == "circ":
                self._at += 1
                base = Call("degree", (base,))
            else:
                base = Call("pow", (base, self._exponent()))
        return base

    def _exponent(self) -> Expression:
        if self._peek() == "-":
            self._at += 1
            return Call("neg", (self._argument(),))
        exponent = self._argument()
        if self._peek() in ("^", "**"):  # 2^3^4 without braces is read from the right
            self._at += 1
            return Call("pow", (exponent, self._deeper(self._exponent)))
        return exponent

    def _atom(self) -> Expression:
        token = self._next()
        if token.kind == "number":
            return self._mixed(token)
        if token.kind == "letter":
            return self._variable(token.text)
        if token.kind == "command":
            return self._command(token.text)
        if token.text == "|":
            return Call("abs", (self._inside("|"),))
        if token.text in ("(", "[", "{"):
            return self._inside(token.text)
        raise Unclear(f"unexpected {token.text!r}")

    def _mixed(self, token: Token) -> Expression:
        """A number; with a proper fraction of two integers behind it, a mixed number."""
        number = Fraction(token.text)
        if self._peek() == "_":
            return self._in_base(token.text)
        start = self._at
        try:
            fraction = self._fraction_behind()
        except Unclear:
            fraction = None
        if fraction is None:
            self._at = start
            return number
        if "." in token.text or not 0 < fraction < 1:
            raise Unclear("neither a mixed number nor a product")
        return number + fraction

    def _fraction_behind(self) -> Fraction | None:
        """`\\frac{1}{2}` or, after a space, `1/2`, if it ends there."""
        if self._peek() == "frac":
            self._at += 1
            above, below = self._argument(), self._argument()
        elif self._at < len(self._tokens) and self._tokens[self._at].kind == "number":
            above = Fraction(self._next().text)
            if self._peek() != "/":
                return None
            self._at += 1
            token = self._next()
            below = Fraction(token.text) if token.kind == "number" else Symbol("")
        else:
            return None
        if not isinstance(above, Fraction) or not isinstance(below, Fraction):
            return None
        if not below or (above * below).denominator > 1 or self._peek() in ("^", "!"):
            return None
        return above / below

    def _in_base(self, digits: str) -> Expression:
        """`1010_2`, `1010_{2}`, `52_8`: an integer in another base."""
        self._at += 1
        base = self._argument()
        if not isinstance(base, Fraction) or not 2 <= base <= 36 or "." in digits:
            raise Unclear("an index of a number that is no base")
        try:
            return Fraction(int(digits, int(base)))
        except ValueError as error:
            raise Unclear(str(error)) from error

    def _variable(self, name: str) -> Expression:
        if self._peek() == "_":
            self._at += 1
            index = self._index()
            if name == "C" and index.isdigit() and self._peek() == "^":
                self._at += 1
                return Call("binomial", (Fraction(index), self._exponent()))
            name = f"{name}_{index}"
        while self._peek() == "'":
            self._at += 1
            name += "'"
        if name in ("e", "i"):
            return Call(name)
        if name.rstrip("'") in _CALLED_LETTERS and self._peek() == "(":
            raise Unclear("a value of a function, or a product")
        return Symbol(name)

    def _index(self) -> str:
        """The text of a subscript: one token, or all between braces."""
        token = self._next()
        if token.text != "{":
            return token.text
        parts: list[str] = []
        while (part := self._next()).text != "}":
            if part.text == "{" or len(parts) > 5:
                raise Unclear("a long index")
            parts.append(part.text)
        return "".join(parts)

    def _command(self, name: str) -> Expression:
        if name in CONSTANTS:
            return Call(name)
        if name in _CALLED_GREEK and self._peek() == "(":
            raise Unclear("a value of a function, or a product")
        if name in GREEK:
            return self._variable(f"\\{name}")
        if name == "frac":
            return Call("div", (self._argument(), self._argument()))
        if name == "sqrt":
            return self._root()
        if name in ("binom", "dbinom", "tbinom"):
            return Call("binomial", (self._argument(), self._argument()))
        if name in _PAIRS:
            kind = {"lfloor": "floor", "lceil": "ceiling", "lvert": "abs"}[name]
            return Call(kind, (self._inside(name),))
        if name == "abs":
            return Call("abs", (self._argument(),))
        if name in FUNCTIONS:
            return self._function(name)
        raise Unclear(f"\\{name}")

    def _root(self) -> Expression:
        degree: Expression | None = None
        if self._peek() == "[":
            self._at += 1
            degree = self._inside("[")
        inner = self._argument()
        return Call("sqrt", (inner,)) if degree is None else Call("root", (inner, degree))

    def _function(self, name: str) -> Expression:
        """`\\sin x`, `\\sin^2 x`, `\\log_2(8)`, `\\sin 2x \\cos x`."""
        base = power = None
        while (sign := self._peek()) in ("_", "^"):
            self._at += 1
            if sign == "_":
                base = self._argument()
            else:
                power = self._exponent()
        inner = self._function_argument()
        if base is not None and name != "log":
            raise Unclear(f"an index of {name}")
        found: Expression = Call(name, (inner,) if base is None else (inner, base))
        if power == Call("neg", (Fraction(1),)) and name in ("sin", "cos", "tan"):
            return Call(f"arc{name}", (inner,))
        return found if power is None else Call("pow", (found, power))

    def _function_argument(self) -> Expression:
        """Brackets, or all factors side by side up to the next function or sign."""
        if self._peek() in ("(", "[", "{"):
            inner = self._inside(self._next().text)
            if self._peek() in ("^", "**", "!"):
                raise Unclear("a power of the argument, or of the value")
            return inner
        inner = self._factor()
        while self._begins_factor() and self._tokens[self._at].text not in FUNCTIONS:
            if self._peek() in ("(", "|") or self._tokens[self._at].kind == "number":
                raise Unclear("where does the argument end?")
            inner = Call("mul", (inner, self._factor()))
        return inner

    def _argument(self) -> Expression:
        """What a LaTeX command takes: a group, a digit or a sign, a command with its own."""
        token = self._next()
        if token.text in ("{", "("):
            return self._inside(token.text)
        if token.kind == "number":
            return Fraction(token.text)
        if token.kind == "letter":
            return self._variable(token.text)
        if token.kind == "command":
            return self._deeper(lambda: self._command(token.text))
        raise Unclear(f"{token.text!r} as an argument")

    def _deeper(self, read: Callable[[], Expression]) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unclear("nested too deeply")
        found = read()
        self._depth -= 1
        return found

    def _inside(self, opening: str) -> Expression:
        """Everything up to the closing bracket, which is consumed."""
        self._bars += opening == "|"
        bars, self._bars = self._bars, self._bars if opening == "|" else 0
        found = self.sum()
        self._bars = bars - (opening == "|")
        closing = self._next().text
        if closing != _PAIRS[opening]:
            raise Unclear(f"{opening!r} is closed by {closing!r}")
        return found

    def _begins_factor(self) -> bool:
        if self._at >= len(self._tokens):
            return False
        token = self._tokens[self._at]
        if token.text == "|":
            return not self._bars
        if token.kind == "command":
            return token.text not in ("cdot", "times", "div", "rfloor", "rceil", "rvert", "ast")
        return token.kind in ("number", "letter") or token.text in ("(", "[", "{")

    def _peek(self) -> str | None:
        return self._tokens[self._at].text if self._at < len(self._tokens) else None

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise Unclear("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]
