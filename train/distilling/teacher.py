"""The teacher of a distillation: whole, frozen, and with the very tokens of the student.

The loss compares two distributions over the vocabulary, number by number. So every token must have
the same id on both sides: one shifted id would teach nonsense without any error. Families pad
their embeddings to different sizes for one and the same tokenizer (Qwen2.5: 151,936 rows up to 3B,
152,064 from 7B on; microsoft/LMOps#331). Rows that no token has are cut off the teacher's copy in
memory, which spreads their probability over the others; a teacher with fewer rows is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from ...models.chat import NotRenderable, render_prompt
from ...pipeline.errors import RequestError
from ...pipeline.sample import Sample
from ...pipeline.stage import Context
from ..running.attention import use_attention
from ..running.bench import Bench
from ..students.loading import load_weights
from ..students.student import Student, open_student

COMPARED: Final = 32
"""Prompts that both templates render, to see whether they agree."""


def open_teacher(context: Context, reference: str, student: Student) -> Student:
    """Read what a teacher is, without its weights.

    Args:
        reference: how the recipe names it.

    Raises:
        RequestError: it cannot be read, or its vocabulary is not the student's.
    """
    teacher = open_student(context.path(reference), reference)
    _refuse_other_tokens(student, teacher)
    _refuse_fewer_rows(student, teacher)
    return teacher


def load_teacher(bench: Bench, reference: str) -> Any:
    """The teacher's weights from safetensors, frozen, with as many embeddings as the student."""
    teacher = open_teacher(bench.context, reference, bench.student)
    model = load_weights(teacher, bench.numerics.arithmetic)
    use_attention(model, bench.settings, bench.numerics)
    rows = bench.model.get_input_embeddings().num_embeddings
    if model.get_input_embeddings().num_embeddings > rows:
        model.resize_token_embeddings(rows)
    return model.requires_grad_(False).eval()


def prompts_agree(
    samples: Iterable[Sample], student: Student, teacher: Student, template_kwargs: dict[str, Any]
) -> bool:
    """Whether both templates make the same tokens of the first prompts."""
    return all(
        _tokens(student, sample, template_kwargs) == _tokens(teacher, sample, template_kwargs)
        for sample in islice(samples, COMPARED)
    )


def _tokens(model: Student, sample: Sample, template_kwargs: dict[str, Any]) -> list[int] | None:
    try:
        return render_prompt(model.tokenizer, sample.prompt, template_kwargs).token_ids
    except NotRenderable:
        return None


def _refuse_other_tokens(student: Student, teacher: Student) -> None:
    ours, theirs = (each.tokenizer.get_vocab() for each in (student, teacher))
    if ours == theirs:
        return
    differing = sorted(ours.items() ^ theirs.items(), key=lambda token: (token[1], token[0]))
    text, _ = differing[0]
    ids = " and ".join(
        f"{'no token' if vocabulary.get(text) is None else f'token {vocabulary[text]}'} of {name}"
        for name, vocabulary in ((student.name, ours), (f"the teacher {teacher.name}", theirs))
    )
    count = len({token for token, _ in differing})
    raise RequestError(
        f"teacher: its vocabulary is not the student's ({len(theirs)} tokens against {len(ours)}; "
        f"{count} differ). {text!r} is {ids}. Their distributions cannot be compared token by "
        "token. Use a teacher of the same family, or train on its completions with generate and "
        "sft, which asks for no common vocabulary."
    )


def _refuse_fewer_rows(student: Student, teacher: Student) -> None:
    ours, theirs = student.vocabulary, teacher.vocabulary
    if ours is not None and theirs is not None and theirs < ours:
        raise RequestError(
            f"teacher: {teacher.name} has {theirs} embeddings and the student {student.name} "
            f"{ours}, for the same {len(student.tokenizer)} tokens: about the rest the teacher "
            "says nothing, and the loss compares whole distributions. Expected a teacher with at "
            "least as many."
        )
