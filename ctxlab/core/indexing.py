"""The term index of a context: built once, shared by every strategy that ranks by words."""

from __future__ import annotations

from dataclasses import dataclass

from ctxlab.core.context import Context, Remembered
from ctxlab.core.segments import spoken
from ctxlab.text.languages import language
from ctxlab.text.recognition import recognised
from ctxlab.text.term_index import TermIndex


@dataclass(frozen=True)
class _IndexKey(Remembered[TermIndex]):
    """The term index of a context in a language."""

    language: str


@dataclass(frozen=True)
class _LanguageKey(Remembered[str]):
    """The language that most of a context is in."""


def term_index(context: Context, language: str = "auto") -> TermIndex:
    """Return the index of a context's segments, names included; built once for each language.

    Parameters
    ----------
    context : Context
        Whose segments are the documents.
    language : str
        ISO 639-1 code, or ``auto`` for the language that most of the context is in.

    Raises
    ------
    UnknownNameError
        When nothing is known of the language.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> context = sample_case().context()
    >>> term_index(context) is term_index(context, "en"), term_index(context).n
    (True, 12)
    """
    code = language_of(context, language)
    return context.memo(
        _IndexKey(code), lambda: TermIndex([spoken(segment) for segment in context], code)
    )


def language_of(context: Context, name: str = "auto") -> str:
    """Return the code of `name`, or of the language recognised in a context for ``auto``.

    Raises
    ------
    UnknownNameError
        When nothing is known of the language.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> language_of(Context((Segment.of("a", "Où est la clé de la porte ?"),)))
    'fr'
    """
    if name != "auto":
        return language(name).code
    return context.memo(_LanguageKey(), lambda: recognised([segment.text for segment in context]))
