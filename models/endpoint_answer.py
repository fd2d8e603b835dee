"""What a server's response means: a completion, a reason to ask again, or a failure for good.

Servers answer 200 with HTML, with an error object, with no choices, with half a text and no
finish_reason; none of these may pass for a completion (25 faults measured in
reference/reliability.md, 3.1). Nothing here opens a connection.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from ..pipeline.fingerprint import canonical_json
from .request import Completion, Failure, Request

NUMERICS: Final = canonical_json({"engine": "endpoint"})
"""A server does not tell its numerics; what it tells (model, fingerprint) is in the raw body."""

_DETAIL: Final = 300
"""Characters of a server's words that are kept in a failure."""

_PERMANENT: Final = {404: "not_found", 422: "unprocessable"}
_RETRYABLE: Final = {408: "timeout", 409: "conflict", 425: "too_early", 429: "rate_limited"}
_TOO_LONG: Final = ("context length", "context_length", "maximum context", "too many tokens")


@dataclass(frozen=True, slots=True)
class Retry:
    """Worth asking again; `reason` is the failure's if it never gets better."""

    reason: str
    detail: str
    after_s: float | None = None
    """Seconds that the server asked to wait."""


def read_response(request: Request, status: int, body: bytes) -> Completion | Failure | Retry:
    """The meaning of a whole HTTP response."""
    if status != 200:
        return _refusal(request, status, body)
    try:
        raw = body.decode("utf-8")
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return Retry("malformed_response", f"200 without JSON ({error}): {_brief(body)}")
    choice = _only_choice(data)
    if choice is None:
        return Retry("malformed_response", f"200 without one choice: {_brief(body)}")
    return _completion(request, data, choice, raw)


def _refusal(request: Request, status: int, body: bytes) -> Failure | Retry:
    detail = f"HTTP {status}: {_brief(body)}"
    if status >= 500:
        return Retry("server_error", detail)
    if status in _RETRYABLE:
        return Retry(_RETRYABLE[status], detail)
    if any(words in detail.lower() for words in _TOO_LONG):
        return Failure(request.key, "prompt_too_long", detail)
    return Failure(request.key, _PERMANENT.get(status, "bad_request"), detail)


def _only_choice(data: Any) -> dict[str, Any] | None:
    choices = data.get("choices") if isinstance(data, dict) else None
    if not isinstance(choices, list) or len(choices) != 1:
        return None
    choice = choices[0]
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return None
    return choice


def _completion(
    request: Request, data: dict[str, Any], choice: dict[str, Any], raw: str
) -> Completion | Failure | Retry:
    message = choice["message"]
    content = message.get("content")
    reasoning = message.get("reasoning_content") or message.get("reasoning") or None
    if not all(part is None or isinstance(part, str) for part in (content, reasoning)):
        return Retry("malformed_response", "content is not a text")
    finish = choice.get("finish_reason")
    if finish is None:
        return Retry("truncated", "the answer came without a finish_reason")
    if finish not in ("stop", "length"):
        reason = "content_filter" if finish == "content_filter" else "unexpected_finish"
        return Failure(request.key, reason, f"finish_reason {str(finish)[:50]!r}")
    if content is None and reasoning is None:
        return Retry("empty_response", "neither content nor reasoning")
    if _has_half_characters(content) or _has_half_characters(reasoning):
        return Failure(request.key, "not_unicode", "half a surrogate pair in the answer")
    usage = data.get("usage") if isinstance(data.get("usage"), dict) else {}
    return Completion(
        key=request.key,
        text=content or "",
        finish_reason=finish,
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        model=str(data.get("model") or ""),
        numerics=NUMERICS,
        reasoning=reasoning,
        raw=raw,
    )


def _has_half_characters(text: str | None) -> bool:
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        return True
    return False


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _brief(body: bytes) -> str:
    text = body[: 4 * _DETAIL].decode("utf-8", "replace")
    return " ".join(text.split())[:_DETAIL]
