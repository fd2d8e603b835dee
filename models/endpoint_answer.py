"""What a server's response means: a completion, a reason to ask again, or a failure for good.

Servers answer 200 with HTML, with an error object, with no choices, with half a text and no
finish_reason; none of these may pass for a completion (25 faults measured in
reference/reliability.md, 3.1). What the server's chat template wrote of the answer is put back
here (`prefill`), so a thought has one form whoever sent it. Nothing here opens a connection.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ..pipeline.fingerprint import canonical_json
from .chat import END_THINK, THINK
from .request import Completion, Failure, Request

NUMERICS: Final = canonical_json({"engine": "endpoint"})
"""A server does not tell its numerics; what it tells (model, fingerprint) is in the raw body."""

LIMITING: Final = frozenset({"rate_limited", "overloaded"})
"""Reasons that say "too much" and nothing about the request: the server itself is well."""

_DETAIL: Final = 300
"""Characters of a server's words that are kept in a failure."""

_PERMANENT: Final = {404: "not_found", 422: "unprocessable"}
_RETRYABLE: Final = {
    408: "timeout",
    409: "conflict",
    425: "too_early",
    429: "rate_limited",
    529: "overloaded",
}
_TOO_LONG: Final = ("context length", "context_length", "maximum context", "too many tokens")
_TOO_LARGE: Final = "request too large"
_PREFILL: Final = f"{THINK}\n"


@dataclass(frozen=True, slots=True)
class Retry:
    """Worth asking again; `reason` is the failure's if it never gets better."""

    reason: str
    detail: str
    after_s: float | None = None
    """Seconds that the server asked to wait."""
    paid: bool = False
    """An answer may have been generated and charged, though it is of no use."""


Meaning: TypeAlias = Completion | Failure | Retry


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads responses; holds what is equal for all of a run."""

    numerics: str = NUMERICS
    prefills_think: bool | None = None

    def read(
        self, request: Request, status: int, body: bytes, after_s: float | None = None
    ) -> Meaning:
        """The meaning of a whole HTTP response; `after_s` is its Retry-After in seconds."""
        if status != 200:
            return _refusal(request, status, body, after_s)
        try:
            raw = body.decode("utf-8")
            data = json.loads(raw)
        except (ValueError, RecursionError) as error:
            return _useless(f"200 without JSON ({error}): {_brief(body)}")
        choice = _only_choice(data)
        if choice is None:
            return _useless(f"200 without one choice: {_brief(body)}")
        return self._completion(request, data, choice, raw)

    def _completion(
        self, request: Request, data: dict[str, Any], choice: dict[str, Any], raw: str
    ) -> Meaning:
        message = choice["message"]
        content = message.get("content")
        reasoning = message.get("reasoning_content") or message.get("reasoning") or None
        if not all(part is None or isinstance(part, str) for part in (content, reasoning)):
            return _useless("content is not a text")
        finish = choice.get("finish_reason")
        if finish not in ("stop", "length"):
            return _unfinished(request, finish)
        if content is None and reasoning is None:
            return _useless("neither content nor reasoning", "empty_response")
        if _has_half_characters(content) or _has_half_characters(reasoning):
            return Failure(request.key, "not_unicode", "half a surrogate pair in the answer")
        usage = data.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        text = content or ""
        return Completion(
            key=request.key,
            text=text,
            finish_reason=finish,
            prompt_tokens=_count(usage, "prompt_tokens"),
            completion_tokens=_count(usage, "completion_tokens"),
            model=_name(data.get("model")),
            numerics=self.numerics,
            reasoning=reasoning,
            prefill=_PREFILL if reasoning is None and self._is_prefilled(text) else "",
            raw=raw,
        )

    def _is_prefilled(self, text: str) -> bool:
        """Whether the server's template wrote the opening <think>, which is not sent."""
        if self.prefills_think is not None:
            return self.prefills_think and not text.lstrip().startswith(THINK)
        before, end, _ = text.partition(END_THINK)
        return bool(end) and THINK not in before


def _refusal(request: Request, status: int, body: bytes, after_s: float | None) -> Failure | Retry:
    detail = f"HTTP {status}: {_brief(body)}"
    words = detail.lower()
    if status == 429 and _TOO_LARGE in words:  # above the limit by itself: waiting cannot help
        return Failure(request.key, "prompt_too_long", detail)
    if status in _RETRYABLE:
        return Retry(_RETRYABLE[status], detail, after_s)
    if status >= 500:  # 503 with a Retry-After says "too much", without one it may be broken
        limiting = status == 503 and after_s is not None
        return Retry("overloaded" if limiting else "server_error", detail, after_s)
    if any(phrase in words for phrase in _TOO_LONG):
        return Failure(request.key, "prompt_too_long", detail)
    return Failure(request.key, _PERMANENT.get(status, "bad_request"), detail)


def _unfinished(request: Request, finish: Any) -> Failure | Retry:
    if finish is None:
        return _useless("the answer came without a finish_reason", "truncated")
    if finish in ("error", "abort"):
        return _useless(f"finish_reason {finish!r}", "server_error")
    reason = "content_filter" if finish == "content_filter" else "unexpected_finish"
    return Failure(request.key, reason, f"finish_reason {str(finish)[:50]!r}")


def _useless(detail: str, reason: str = "malformed_response") -> Retry:
    """A 200 that is no answer: it may have been paid for."""
    return Retry(reason, detail, paid=True)


def _only_choice(data: Any) -> dict[str, Any] | None:
    choices = data.get("choices") if isinstance(data, dict) else None
    if not isinstance(choices, list) or len(choices) != 1:
        return None
    choice = choices[0]
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return None
    return choice if choice.get("index") in (0, None) else None


def _has_half_characters(text: str | None) -> bool:
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        return True
    return False


def _name(value: Any) -> str:
    usable = isinstance(value, str) and not _has_half_characters(value)
    return value[:200] if usable else ""


def _count(usage: dict[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _brief(body: bytes) -> str:
    text = body[: 4 * _DETAIL].decode("utf-8", "replace")
    return " ".join(text.split())[:_DETAIL]
