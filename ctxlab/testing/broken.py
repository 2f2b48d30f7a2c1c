"""The error of a broken law."""

from __future__ import annotations


class LawError(AssertionError):
    """A strategy broke a law; the message names the law and what broke it.

    Examples
    --------
    >>> issubclass(LawError, AssertionError)
    True
    """


def must(holds: bool, law: str, witness: object) -> None:
    """Raise unless a law holds, naming it and what broke it.

    Examples
    --------
    >>> must(False, "order", "m1")
    Traceback (most recent call last):
    ctxlab.testing.broken.LawError: law broken: order; 'm1'
    """
    if not holds:
        raise LawError(f"law broken: {law}; {witness!r}")
