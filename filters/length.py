"""Are the thought, the answer and the whole neither too short nor too long?

Without limits it judges everything 1.0 and is a way to record the lengths as evidence. The units:

* `characters` are code points, `words` those of `words.py` with every number as one word more;
* `tokens` are those of the tokenizer named in `tokenizer`, by its `tokenizer.json` alone: no model
  code runs, no special tokens are added, and cutting or padding set in the file is turned off.

Thought and answer are measured without the white space around them, a missing one is 0 long. The
whole is the completion as it stands, tags included; the words of the tags are not counted.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from ..models.thinking import CLOSE, OPEN, Span, split
from ..pipeline.errors import RequestError
from ..pipeline.filter import JudgeContext, RowFilter
from ..pipeline.references import Model
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .languages.words import count_words

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Limit = int | None

_LIBRARY: Final = "tokenizers"
_NUMBER: Final = re.compile(r"(?<![A-Za-z0-9_.,])\d+(?:[.,]\d+)*")
_PARTS: Final = ("thought", "answer", "total")


class Length(RowFilter):
    """1.0 inside all limits (both ends belong to it), else 0.0 with the first one broken."""

    kind: ClassVar[str] = "length"
    version: ClassVar[int] = 2
    reasons: ClassVar[frozenset[str]] = frozenset(
        {"ok", "no_completion"}
        | {f"{part}_too_{way}" for part in _PARTS for way in ("short", "long")}
    )

    unit: Literal["characters", "words", "tokens"] = "characters"
    tokenizer: Model | None = None
    """Folder or hub id of a model, for `unit: tokens`."""
    min_thought: Limit = Field(default=None, ge=0)
    max_thought: Limit = Field(default=None, ge=0)
    min_answer: Limit = Field(default=None, ge=0)
    max_answer: Limit = Field(default=None, ge=0)
    min_total: Limit = Field(default=None, ge=0)
    max_total: Limit = Field(default=None, ge=0)

    _folder: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        for part in _PARTS:
            least, most = self._limits(part)
            if least is not None and most is not None and least > most:
                raise ValueError(f"min_{part} is {least} and max_{part} {most}: nothing fits")
        if self.unit == "tokens" and self.tokenizer is None:
            raise ValueError(
                "unit is tokens, and tokens are those of a tokenizer: name one, for example "
                "`tokenizer: ./student`"
            )
        if self.unit != "tokens" and self.tokenizer is not None:
            raise ValueError(f"tokenizer has no effect with unit {self.unit}: set `unit: tokens`")
        return self

    def identity(self, digest: Callable[[str], str] | None = None) -> dict[str, Any]:
        """As every filter's; counting tokens also depends on the library that counts."""
        found = super().identity(digest) if digest else super().identity()
        if self.unit == "tokens":
            found["depends"] |= {_LIBRARY: _library_version()}
        return found

    def prepared(self, context: JudgeContext) -> Self:
        """With the folder of the tokenizer, which is tried here before any worker starts."""
        if self.tokenizer is None:
            return self
        made = self.model_copy()
        made._folder = context.path(self.tokenizer)
        _tokenizer(made._folder)
        return made

    def warm(self) -> None:
        if self._folder is not None:
            _tokenizer(self._folder)

    def judge_one(self, sample: Sample) -> Verdict:
        text = sample.completion
        if text is None:
            return Verdict(None, "no_completion")
        lengths = self._lengths(text)
        evidence: dict[str, Json] = {"unit": self.unit, **lengths}
        for part, length in lengths.items():
            least, most = self._limits(part)
            if least is not None and length < least:
                return Verdict(0.0, f"{part}_too_short", evidence)
            if most is not None and length > most:
                return Verdict(0.0, f"{part}_too_long", evidence)
        return Verdict(1.0, "ok", evidence)

    def _limits(self, part: str) -> tuple[Limit, Limit]:
        return getattr(self, f"min_{part}"), getattr(self, f"max_{part}")

    def _lengths(self, text: str) -> dict[str, int]:
        def part(span: Span | None) -> str:
            return text[slice(*span)].strip() if span else ""

        parts = split(text)
        whole = text.replace(OPEN, " ").replace(CLOSE, " ") if self.unit == "words" else text
        return {
            "thought": self._measure(part(parts.thought)),
            "answer": self._measure(part(parts.answer)),
            "total": self._measure(whole),
        }

    def _measure(self, text: str) -> int:
        if self.unit == "characters":
            return len(text)
        if self.unit == "words":
            return count_words(text) + len(_NUMBER.findall(text))
        if self._folder is None:
            raise RequestError("tokens can only be counted by a filter that was `prepared`")
        readable = text.encode("utf-8", "replace").decode()  # half a surrogate pair would raise
        return len(_tokenizer(self._folder).encode(readable, add_special_tokens=False).ids)


@functools.lru_cache(maxsize=4)
def _tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model's folder, loaded once in a process.

    Raises:
        RequestError: the library is not installed, or there is no tokenizer that it can read.
    """
    _library_version()
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    if not file.is_file():
        raise RequestError(
            f"{folder} has no tokenizer.json, so its tokens cannot be counted. Write one with "
            "transformers: AutoTokenizer.from_pretrained(…).save_pretrained(…)."
        )
    try:
        made = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exceptions for what it cannot read
        raise RequestError(f"{file} is no tokenizer that can be loaded: {error}") from error
    made.no_truncation()
    made.no_padding()
    return made


def _library_version() -> str:
    try:
        return metadata.version(_LIBRARY)
    except metadata.PackageNotFoundError as error:
        raise RequestError(
            f"counting tokens needs the library {_LIBRARY}, which is not installed. "
            f"Run: pip install {_LIBRARY}"
        ) from error
