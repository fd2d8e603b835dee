"""What must not leave the house by accident: the kinds of texts that a scan looks for.

Each kind is a pattern that polars can run (no look-around) and, where the pattern alone would find
too much, a check of what it found. Placeholders as documentation writes them (`user@example.com`,
`sk-xxxx`, `AKIAIOSFODNN7EXAMPLE`) are no findings. Kinds that are only notes never stop anything.
What a scan does not find may be there all the same.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final


def _any(text: str) -> bool:
    return bool(text)


@dataclass(frozen=True)
class Kind:
    """One kind of finding."""

    name: str
    pattern: str
    hint: str
    """A pattern that every finding holds and that is found fast: it decides which rows are read."""
    is_one: Callable[[str], bool] = field(default=_any)
    only_note: bool = False

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def found_in(self, text: str) -> list[str]:
        """All that is one, in order."""
        found = (match.group(match.lastindex or 0) for match in self.regex.finditer(text))
        return [each for each in found if not _is_placeholder(each) and self.is_one(each)]


_WORDS: Final = ("example", "your", "xxxx", "****", "placeholder", "redacted", "dummy", "changeme")
_RESERVED: Final = re.compile(
    r"@(?:[\w.-]+\.)?(?:example(?:\.\w+)?|invalid|test|localhost|(?:domain|email|mail|company|"
    r"yourcompany|yourdomain)\.(?:com|org|net))$",
    re.IGNORECASE,
)
"""RFC 2606 and what people write in its place."""
_FEWEST_SIGNS: Final = 5
"""Different characters of a secret; `aaaaaaaa` and `12121212` are none."""


def _is_placeholder(text: str) -> bool:
    lower = text.lower()
    if "@" in text:
        return bool(_RESERVED.search(text))
    return any(word in lower for word in _WORDS) or len(set(text)) < _FEWEST_SIGNS


def _is_mixed(text: str) -> bool:
    """Letters and digits: a word or a number alone is no key."""
    return any(sign.isdigit() for sign in text) and any(sign.isalpha() for sign in text)


def _is_address(text: str) -> bool:
    """Whether a public IP address is written; `1.2.3.4` and private nets are none."""
    try:
        return ipaddress.ip_address(text).is_global and text not in ("1.2.3.4", "8.8.8.8")
    except ValueError:
        return False


KINDS: Final = (
    Kind("hub_token", r"\b(?:hf|api_org)_[A-Za-z0-9]{30,}", r"hf_|api_org_"),
    Kind("openai_key", r"\bsk-(?:[a-z]{2,8}[0-9]{0,2}-)*[A-Za-z0-9_-]{20,}", r"sk-", _is_mixed),
    Kind("aws_key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", r"AKIA|ASIA", _is_mixed),
    Kind(
        "github_token",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
        r"gh[pousr]_|github_pat_",
    ),
    Kind("gitlab_token", r"\bglpat-[A-Za-z0-9_-]{20,}", r"glpat-"),
    Kind("slack_token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}", r"xox[abeoprs]-", _is_mixed),
    Kind("google_key", r"\bAIza[0-9A-Za-z_-]{35}", r"AIza"),
    Kind(
        "private_key",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s*[A-Za-z0-9+/=:\\]{16,}",
        r"PRIVATE KEY",
    ),
    Kind("jwt", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}", r"eyJ"),
    Kind(
        "assigned_secret",
        r"(?i)(?:api[_-]?key|secret(?:[_-]?key)?|access[_-]?key|(?:auth|access|bearer)[_-]?token|"
        r"password|passwd)[\"']?\s{0,3}[:=]\s{0,3}[\"']?([A-Za-z0-9_/+=-]{16,})",
        r"(?i)api_?-?key|secret|access|token|passw",
        _is_mixed,
    ),
    Kind("email", r"\b[A-Za-z0-9][A-Za-z0-9._%+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}\b", r"@"),
    Kind(
        "phone",
        r"(?:\+[0-9]{1,3}[ .-]?\(?[0-9]{2,4}\)?(?:[ .-]?[0-9]{2,4}){2,4}|"
        r"\([0-9]{3}\) ?[0-9]{3}-[0-9]{4})",
        r"\+[0-9]|\([0-9]{3}\)",
        only_note=True,
    ),
    Kind(
        "ip_address",
        r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b",
        r"[0-9]\.[0-9]+\.[0-9]+\.[0-9]",
        _is_address,
        only_note=True,
    ),
)
LOCAL_PATH: Final = Kind(
    "local_path",
    r"(?:^|[\s\"'`(=:/])(/(?:home|Users|root|mnt|tmp|var|scratch|workspace)/[^\s\"'`)]+|"
    r"[A-Z]:\\+Users\\+[^\s\"'`]+)",
    r"/|\\",
)
"""Of this machine; looked for in cards and manifests only, since code is full of paths."""


def masked(text: str) -> str:
    """Enough of a finding to recognise it by, and never the whole: `sk-p… (51 characters)`."""
    name, at, domain = text.partition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    return f"{text[: min(4, len(text) // 4)]}… ({len(text)} characters)"
