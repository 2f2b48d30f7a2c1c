"""Secrets out of text: whatever is shown, logged or stored for people passes through here."""

from __future__ import annotations

import re
from typing import Any, TextIO

_HIDDEN = "***"
_NAMES = r"[a-z]*passw(?:or)?d|pass|pwd|secret|token|(?:api|access|secret|private)[_-]?key"
_SECRETS = (
    # A password before the last @ of an address; `Path` makes one slash of two.
    (re.compile(r"(\b[a-z][a-z0-9+.-]+:/{1,2}[^\s:/@'\"]*):[^\s'\"]*@", re.I), rf"\1:{_HIDDEN}@"),
    # One of libpq's, of a query, of an environment: name=value, the value maybe quoted.
    (
        re.compile(
            rf"((?:\b|_)(?:{_NAMES})\s*=\s*)(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[^\s&;,'\")]+)",
            re.I,
        ),
        rf"\1{_HIDDEN}",
    ),
    (
        re.compile(rf"([\"'](?:\w*_)?(?:{_NAMES})[\"']\s*:\s*)([\"']).*?\2", re.I),
        rf"\1\2{_HIDDEN}\2",
    ),
    (re.compile(r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.I), rf"\1{_HIDDEN}"),
    (re.compile(r"\b(sk-|ghp_|gho_|github_pat_|xox[abp]-)[\w-]{12,}"), rf"\1{_HIDDEN}"),
)  # fmt: skip
_MARKS = re.compile(r"[:=]|sk-|bearer|basic|ghp_|gho_|github_pat_|xox", re.I)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/{1,2}|.*\bpassword\s*=", re.I)


def redacted(text: str) -> str:
    """Return a text for people without the passwords, tokens and keys in it.

    Parameters
    ----------
    text : str
        Addresses with a password, libpq's ``name=value``, queries, headers and known tokens are
        found in it; all else stays as it is.

    Examples
    --------
    >>> redacted("postgresql+psycopg://ada:hunter2@db/app cannot be reached")
    'postgresql+psycopg://ada:***@db/app cannot be reached'
    >>> redacted("host=db password='hun ter2' port=5432")
    'host=db password=*** port=5432'
    >>> redacted("see http://localhost:8080/a?b=c")
    'see http://localhost:8080/a?b=c'
    """
    if _MARKS.search(text):
        for pattern, shown in _SECRETS:
            text = pattern.sub(shown, text)
    return text


def is_address(text: str) -> bool:
    """Say whether a text is the address of a server, and so no name of a file.

    Examples
    --------
    >>> is_address("postgresql://db/app"), is_address("C:/lab.duckdb"), is_address("lab.duckdb")
    (True, False, False)
    """
    return _ADDRESS.match(text) is not None


class Redacting:
    """A stream for people, such as stderr, on which no secret is written.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> Redacting(stream).write("mysql://ada:hunter2@db")
    18
    >>> stream.getvalue()
    'mysql://ada:***@db'
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text without its secrets."""
        return self._stream.write(redacted(text))

    def writelines(self, lines: list[str]) -> None:
        """Write lines without their secrets."""
        self._stream.writelines(map(redacted, lines))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)
