"""What must not leave the house by accident: the kinds of texts that a scan looks for.

Each kind is a pattern, a hint of it that polars can run (no look-around) and, where the pattern
alone would find too much, a check of what it found. No pattern takes more than linear time.
Placeholders as documentation writes them (`user@example.com`, `sk-xxxx`, `AKIAIOSFODNN7EXAMPLE`)
are no findings. Kinds that are only notes never stop anything.
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
    r"yourcompany|yourdomain|foo|bar|test)\.(?:com|org|net))$",
    re.IGNORECASE,
)
"""RFC 2606 and what people write in its place."""
_MAILBOX: Final = (
    r"[\w.%+-]{1,64}@(?:[\w-]{1,63}\.)+"
    r"(?:(?:com|org|net|edu|gov|cn)(?![A-Za-z0-9_])|[A-Za-z]{2,24}(?![A-Za-z0-9_(]))"
)
"""Letters of every script (RFC 6531). What is called, `weights@x.reshape(2)`, is a product of
matrices, unless it ends as most addresses do. 64: RFC 5321; without it time is quadratic."""
_LOGINS: Final = re.compile(r"git@(?:github|gitlab|bitbucket|gitee|huggingface|hf)\.(?:com|org|co)")
"""By which everybody clones."""
_PASSWORDS: Final = frozenset({
    "password", "passwd", "pass", "pwd", "secret", "user", "username", "root", "admin", "guest",
    "postgres", "mysql", "mypassword", "test", "foo", "bar", "token",
})  # fmt: skip
"""As documentation writes them in the place of one."""
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


def _is_password(text: str) -> bool:
    return text.lower() not in _PASSWORDS


def _is_mailbox(text: str) -> bool:
    return _LOGINS.fullmatch(text) is None


def _is_address(text: str) -> bool:
    """Whether a public IP address is written; `1.2.3.4` and private nets are none."""
    try:
        return ipaddress.ip_address(text).is_global and text not in ("1.2.3.4", "8.8.8.8")
    except ValueError:
        return False


_ALONE: Final = r"(?<![A-Za-z0-9])"
"""Before a key; a word boundary would ask for a sign after Chinese, where none is written."""
_QUOTED: Final = r"[\\\"']{0,8}"
"""Quotes of JSON in JSON in JSON, each with its backslashes."""

KINDS: Final = (
    Kind("hub_token", _ALONE + r"(?:hf|api_org)_[A-Za-z0-9]{30,}", r"hf_|api_org_"),
    Kind(
        "model_api_key",  # sk-: OpenAI, Anthropic, OpenRouter, DeepSeek …; then xAI, Groq, NVIDIA
        _ALONE + r"(?:sk-(?:[a-z]{2,8}[0-9]{0,2}-)*|xai-|gsk_|nvapi-)[A-Za-z0-9_-]{20,}",
        r"sk-|xai-|gsk_|nvapi-",
        _is_mixed,
    ),
    Kind(
        "aws_key",
        _ALONE + r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])",
        r"AKIA|ASIA",
        _is_mixed,
    ),
    Kind(
        "github_token",
        _ALONE + r"(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
        r"gh[pousr]_|github_pat_",
    ),
    Kind("gitlab_token", _ALONE + r"glpat-[A-Za-z0-9_-]{20,}", r"glpat-"),
    Kind(
        "slack_token",
        _ALONE + r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}|"
        r"hooks\.slack\.com/services/[A-Z0-9]{8,}/[A-Z0-9]{8,}/[A-Za-z0-9]{20,}",
        r"xox[abeoprs]-|xapp-|hooks\.slack",
        _is_mixed,
    ),
    Kind(
        "google_key",
        _ALONE + r"(?:AIza[\w-]{35}|GOCSPX-[\w-]{28}|ya29\.[\w-]{40,})",
        r"AIza|GOCSPX-|ya29\.",
    ),
    Kind(
        "stripe_key",
        _ALONE + r"(?:[rs]k_(?:live|test)_|whsec_)[A-Za-z0-9]{20,}",
        r"k_live_|k_test_|whsec_",
    ),
    Kind(
        "service_token",  # npm, PyPI, SendGrid, a Telegram bot
        _ALONE + r"(?:npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{20,}|"
        r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}|[0-9]{8,10}:AA[A-Za-z0-9_-]{33})",
        r"npm_|pypi-AgE|SG\.|[0-9]:AA",
    ),
    Kind(
        "private_key",  # PEM and PGP; lines such as `Proc-Type: 4,ENCRYPTED` may stand before it
        r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\+[nr])*"
        r"(?:[A-Za-z-]{1,20}: [^\n\\]{0,200}(?:\n|\\+n)){0,20}(?:\s|\\+[nr])*"
        r"([A-Za-z0-9+/=:]{16,})",
        r"PRIVATE KEY",
    ),
    Kind(
        "jwt",
        _ALONE + r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        r"eyJ",
    ),
    Kind(
        "assigned_secret",
        r"(?i)(?:api[_-]?key|secret(?:[_-]?key)?|(?:access|account)[_-]?key|"
        r"(?:auth|access|bearer)[_-]?token|password|passwd|authorization)"
        rf"{_QUOTED}\s{{0,3}}[:=]\s{{0,3}}{_QUOTED}(?:(?:bearer|basic|token) )?"
        r"([A-Za-z0-9_/+=-]{16,})",
        r"(?i)api_?-?key|secret|access|account|token|passw|authorization",
        _is_mixed,
    ),
    Kind(
        "url_password",
        r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{0,64}:([^\s/:@\"'<>{}$]{3,128})@[\w\[]",
        r"://[^\s/@]{0,200}@",
        _is_password,
    ),
    Kind("email", _MAILBOX, r"@", _is_mailbox),
    Kind(
        "phone",
        r"(?:\+[0-9]{1,3}[ .-]?\(?[0-9]{2,4}\)?(?:[ .-]?[0-9]{2,4}){2,4}|"
        r"\([0-9]{3}\) ?[0-9]{3}-[0-9]{4})",
        r"\+[0-9]|\([0-9]{3}\)",
        only_note=True,
    ),
    Kind(
        "ip_address",
        r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9])",
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
