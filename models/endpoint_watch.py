"""Whether the answers of one server come from the model, and from the same model, as before.

Two silent ways to spoil a dataset are looked for. A proxy puts a chat in front of a completions
API and the "answer" begins with the question or with the template's own control words: the first
answer of each server is looked at. And a server is restarted with another model behind the same
name: the name that it gives itself must not change. That name is never compared with the one asked
for, since servers resolve aliases.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ..pipeline.errors import StepFailed
from .request import Completion, Request

QUESTION_LENGTH: Final = 20
"""Characters of a question from which on its repetition is no accident."""

DEBRIS: Final = (
    "<|im_start|>",
    "<|im_end|>",
    "<|start_header_id|>",
    "<|begin_of_text|>",
    "<|User|>",
    "<|Assistant|>",
    "<|user|>",
    "<|assistant|>",
    "<|system|>",
    "<|endoftext|>",
    "<\uff5cUser\uff5c>",
    "<\uff5cAssistant\uff5c>",
    "<\uff5cbegin\u2581of\u2581sentence\uff5c>",
    "<start_of_turn>",
    "[INST]",
    "<<SYS>>",
)
"""How prompts of known chat templates begin; no model's answer does."""

_FINGERPRINT: Final = re.compile(r'"system_fingerprint"\s*:\s*"([^"\\]{1,100})"')
"""Inside a text its quotes would be escaped, so only the field itself is found."""


class Watch:
    """Looks at every completion of one server before it is handed on."""

    def __init__(self, server: str, note: Callable[[str], None]) -> None:
        self._server = server
        self._note = note
        self._model = ""
        self._fingerprint = ""
        self._noted = False
        self._seen = False

    def saw(self, request: Request, completion: Completion) -> None:
        """Look at one completion.

        Raises:
            StepFailed: another model answers than before, or the server echoes its template.
        """
        if not self._seen:
            self._refuse_echo(request, completion)
            self._seen = True
        if completion.model and completion.model != self._model:
            if self._model:
                raise StepFailed(
                    f"{self._server} began to answer as model {completion.model!r}; until now it "
                    f"was {self._model!r}. What the new one answered was not kept. Serve the "
                    "former model again and repeat the command, or give the new one a name or "
                    "revision of its own in the recipe."
                )
            self._model = completion.model
        self._note_fingerprint(completion.raw or "")

    def _refuse_echo(self, request: Request, completion: Completion) -> None:
        text = (completion.reasoning or completion.text).lstrip()
        found = next((words for words in DEBRIS if text.startswith(words)), None)
        asked = [turn.content.strip() for turn in request.messages if turn.role == "user"]
        if found is None and asked and len(asked[-1]) >= QUESTION_LENGTH:
            found = "the question itself" if text.startswith(asked[-1]) else None
        if found is not None:
            raise StepFailed(
                f"the first answer of {self._server} begins with {found}: the server sends its "
                "chat template back. Expected the model's words alone. It may be a completions "
                "API behind a chat proxy, or run with a wrong --chat-template. Nothing was kept."
            )

    def _note_fingerprint(self, raw: str) -> None:
        if '"system_fingerprint"' not in raw or (found := _FINGERPRINT.search(raw)) is None:
            return
        if not self._fingerprint:
            self._fingerprint = found[1]
        elif found[1] != self._fingerprint and not self._noted:
            self._noted = True
            self._note(
                f"{self._server} answers from more than one build of the model (system_fingerprint "
                f"{self._fingerprint} and {found[1]}); each answer's is in its raw body."
            )
