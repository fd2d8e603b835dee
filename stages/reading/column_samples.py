"""Plain rows of a block as samples, all at once: what `Meaning.samples` does, in columns.

Only what is common is done here: texts and lists of plain turns, keys that are texts or whole
numbers, labels that are texts. `plain` marks the rows of which that is all; any other row goes the
way of single rows, which knows every case. A test holds both ways to the same samples.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from .blocks import LINE, OWN_ID
from .column_parts import (
    GENERATION,
    NotPlain,
    generation,
    generation_parts,
    member,
    spelling,
    tagged,
    turn,
)
from .columns import Meaning
from .conversations import ROLES
from .expressions import Expression, Text
from .fields import DEFAULT_TASK, LABELS
from .thinking import BEFORE, BETWEEN, NONE, SEPARATE

PLAIN: Final = "__plain__"
FORM: Final = "__form__"
"""Column of the form that a thought had."""

_FOUND: Final = "__found__"
"""Column that says whether a text was cut."""
_TEXTS: Final = (pl.String, pl.Int64)
_ODD: Final = r"[\x1c-\x1f\x85]"
"""White space that Python strips and polars does not, or the other way round."""
_ODD_SPACE: Final = rf"{_ODD}\s*$"
_BLANK: Final = r"^[\s\x1c-\x1f\x85]*$"


def column_samples(means: Meaning, frame: pl.DataFrame) -> pl.DataFrame | None:
    """The samples of a block, a row each, with `FORM` and `PLAIN`; None where no row is plain."""
    shape = means.shape
    if shape is not None and shape.turn is not None and shape.in_columns is None:
        return None
    try:
        return _Columns(means, frame).samples()
    except NotPlain:
        return None


class _Columns:
    """One block on its way."""

    def __init__(self, means: Meaning, frame: pl.DataFrame) -> None:
        self.means = means
        self.plain: list[pl.Expr] = []
        """What must hold for a row to be plain."""
        self.frame = self._turned(self._split(frame))
        self.have = set(self.frame.columns) - {LINE, _FOUND}
        self.used: set[str] = set()

    def samples(self) -> pl.DataFrame:
        prompt, said, apart = self._prompt()
        prompt = self._with_turns_before(prompt)
        completion, form = self._completion(said, apart)
        made = {
            "prompt": prompt,
            "completion": completion,
            "answer": self._answer(),
            **{label: self._label(label) for label in LABELS},
            "generation": self._generation(),
            "extra": self._extra(),
            LINE: pl.col(LINE),
            OWN_ID: self._own_id(),
            FORM: form,
            PLAIN: pl.all_horizontal(self.plain),
        }
        return self.frame.select(**made)

    def _split(self, frame: pl.DataFrame) -> pl.DataFrame:
        split = self.means.split
        if split is None:
            return frame
        names = set(frame.columns) - {split.column}
        if frame.schema.get(split.column) != pl.String or names & set(split.into):
            raise NotPlain
        text = pl.col(split.column)
        last = text.str.split(split.at).list
        parts = frame.select(
            pl.all().exclude(split.column),
            __before__=last.head(last.len() - 1).list.join(split.at).str.strip_chars(),
            __after__=last.last().str.strip_chars(),
            **{_FOUND: (last.len() > 1).fill_null(False) & ~text.str.contains(_ODD)},
        )
        self.plain.append(pl.col(_FOUND))
        named = {"__before__": split.into[0], "__after__": split.into[1]}
        return parts.rename(named)

    def _turned(self, frame: pl.DataFrame) -> pl.DataFrame:
        shape = self.means.shape
        if shape is None or shape.in_columns is None:
            return frame
        turned, plain = shape.in_columns(frame)
        self.plain.append(plain)
        return turned

    def _choose(self, field: str) -> Expression | None:
        """The expression of a field; rows in which another one would count are not plain."""
        choices = self.means.choices.get(field, ())
        able = [choice for choice in choices if choice.required <= self.have]
        if not able:
            if choices and not self.means.guessed:
                raise NotPlain
            return None
        if len(able) > 1:
            self.plain += [pl.col(name).is_not_null() for name in able[0].required]
        self.used |= able[0].used
        return able[0]

    def _text(self, field: str) -> pl.Expr | None:
        """A field that is a text, null where the row has none."""
        choice = self._choose(field)
        if isinstance(choice, Text):
            return self._laid_out(choice)
        if choice is None or self.frame.schema[choice.source] == pl.Null:
            return None
        if self.frame.schema[choice.source] != pl.String:
            raise NotPlain
        return pl.col(choice.source)

    def _laid_out(self, choice: Text) -> pl.Expr:
        parts: list[pl.Expr] = []
        for literal, name, optional in choice.parts():
            if literal:
                parts.append(pl.lit(literal))
            if name is None:
                continue
            if name not in self.have or self.frame.schema[name] == pl.Null:
                if not optional:
                    raise NotPlain
                continue
            if self.frame.schema[name] not in _TEXTS:
                raise NotPlain
            column = pl.col(name).cast(pl.String)
            if not optional:
                self.plain.append(pl.col(name).is_not_null())
            parts.append(column.fill_null(""))
        text = pl.concat_str(parts) if parts else pl.lit("")
        self.plain.append(~text.str.contains(_ODD_SPACE))
        return text.str.strip_chars_end()

    def _prompt(self) -> tuple[pl.Expr, pl.Expr | None, pl.Expr | None]:
        """The prompt; where its last turn is an assistant's, that one and its thought."""
        choice = self._choose("prompt")
        if choice is None:
            raise NotPlain
        if isinstance(choice, Text) or self.frame.schema[choice.source] == pl.String:
            text = self._laid_out(choice) if isinstance(choice, Text) else pl.col(choice.source)
            self.plain.append(text.is_not_null() & ~text.str.contains(_BLANK))
            return pl.concat_list(turn("user", text)), None, None
        return self._conversation(choice.source)

    def _conversation(self, name: str) -> tuple[pl.Expr, pl.Expr, pl.Expr | None]:
        role_key, text_key, thought = spelling(self.frame.schema[name])
        role, content = pl.element().struct.field(role_key), pl.element().struct.field(text_key)
        known = role.is_in(list(ROLES)) & content.is_not_null()
        asks = (role.replace(ROLES) == "user") & ~content.str.contains(_BLANK)
        turns = pl.col(name)
        self.plain += [
            turns.list.eval(known).list.all() & (turns.list.len() > 0),
            turns.list.eval(asks).list.any(),
        ]
        plain = turns.list.eval(pl.struct(role=role.replace(ROLES), content=content))
        last = plain.list.last()
        ends = last.struct.field("role") == "assistant"
        prompt = pl.when(ends).then(plain.list.head(plain.list.len() - 1)).otherwise(plain)
        completion = pl.when(ends).then(last.struct.field("content"))
        if thought is None:
            return prompt, completion, None
        thoughts = turns.list.eval(pl.element().struct.field(thought))
        before = thoughts.list.head(thoughts.list.len() - pl.when(ends).then(1).otherwise(0))
        self.plain.append(before.list.drop_nulls().list.len() == 0)
        return prompt, completion, pl.when(ends).then(thoughts.list.last())

    def _with_turns_before(self, prompt: pl.Expr) -> pl.Expr:
        history = self._choose("history")
        if history is not None and self.frame.schema.get(history.source) != pl.Null:
            if not isinstance(self.frame.schema.get(history.source), pl.List):
                raise NotPlain
            self.plain.append((pl.col(history.source).list.len() == 0).fill_null(True))
        system = self._text("system")
        if system is None:
            return prompt
        is_said = (system != "").fill_null(False)
        said = prompt.list.eval(pl.element().struct.field("role") == "system").list.any()
        self.plain.append(~is_said | ~said)
        before = pl.concat_list(turn("system", system))
        return pl.when(is_said).then(pl.concat_list(before, prompt)).otherwise(prompt)

    def _completion(self, said: pl.Expr | None, apart: pl.Expr | None) -> tuple[pl.Expr, pl.Expr]:
        """The completion with its thought in the tags, and the form that the thought had."""
        own = self._text("completion")
        if own is not None and said is not None:
            self.plain.append(own.is_null() | said.is_null())
        texts = [each for each in (own, said) if each is not None]
        nothing = pl.lit(None, pl.String)
        text, form = tagged(pl.coalesce(texts)) if texts else (nothing, nothing)
        for thought in (apart, self._text("thought")):
            if thought is not None:
                text, form = self._joined(thought, text, form)
        return text, form

    def _joined(self, thought: pl.Expr, text: pl.Expr, form: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
        """The two with a thought that stands apart; only where the completion has none is plain."""
        is_thought = (~thought.str.contains(_BLANK)).fill_null(False)
        self.plain.append(~is_thought | (form == NONE).fill_null(False))
        self.plain.append(~(is_thought & (thought.str.contains(_ODD) | text.str.contains(_ODD))))
        both = pl.concat_str(
            pl.lit(BEFORE), thought.str.strip_chars(), pl.lit(BETWEEN), text.str.strip_chars()
        )
        return (
            pl.when(is_thought).then(both).otherwise(text),
            pl.when(is_thought).then(pl.lit(SEPARATE)).otherwise(form),
        )

    def _answer(self) -> pl.Expr:
        choice = self._choose("answer")
        if choice is None:
            return pl.lit(None, pl.String)
        if isinstance(choice, Text):
            text = self._laid_out(choice)
        else:
            kind = self.frame.schema[choice.source]
            if kind not in (*_TEXTS, pl.Null):
                raise NotPlain
            text = pl.col(choice.source).cast(pl.String)
        return pl.when(~text.str.contains(_BLANK)).then(text)

    def _label(self, label: str) -> pl.Expr:
        text = self._text(label)
        given = self.means.labels.get(label, DEFAULT_TASK if label == "task" else None)
        fixed = pl.lit(given, pl.String)
        return fixed if text is None else pl.coalesce(text, fixed)

    def _generation(self) -> pl.Expr:
        made = self._choose("generation")
        reason = self._text("finish_reason")
        told: pl.Expr = pl.lit(None, GENERATION)
        if reason is not None:
            ended = pl.when(reason != "").then(reason)
            told = pl.when(ended.is_not_null()).then(generation({"finish_reason": ended}))
        if made is None or self.frame.schema[made.source] == pl.Null:
            return told
        parts = generation_parts(made.source, self.frame.schema[made.source])
        self.plain.append(pl.col(made.source).is_null() | parts["finish_reason"].is_not_null())
        return pl.when(pl.col(made.source).is_not_null()).then(generation(parts)).otherwise(told)

    def _own_id(self) -> pl.Expr:
        kind = self.frame.schema.get("id", pl.Null)
        if kind not in (*_TEXTS, pl.Null):
            raise NotPlain
        return pl.col("id").cast(pl.String) if "id" in self.have else pl.lit(None, pl.String)

    def _extra(self) -> pl.Expr:
        rest = sorted(self.have - self.used)
        if "extra" in rest:
            raise NotPlain
        pieces = [member(self.frame, name) for name in rest if self.frame.schema[name] != pl.Null]
        if not pieces:
            return pl.lit("{}")
        inside = pl.concat_str(pieces, separator=",", ignore_nulls=True)
        return pl.concat_str(pl.lit("{"), inside, pl.lit("}"))
