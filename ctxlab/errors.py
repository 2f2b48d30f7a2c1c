"""Every failure ctxlab raises on purpose: one class per failure, all under `CtxlabError`.

A message names the value that was wrong, the limit it broke, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from ctxlab.redaction import redacted


class CtxlabError(Exception):
    """Base of every error ctxlab raises on purpose; no password stands in its text.

    Examples
    --------
    >>> str(CtxlabError("no file postgresql://ada:hunter2@db/app"))
    'no file postgresql://ada:***@db/app'
    """

    def __init__(self, *parts: object) -> None:
        super().__init__(*(redacted(p) if isinstance(p, str) else p for p in parts))


class UnknownNameError(CtxlabError, LookupError):
    """A name that nothing answers to; the message offers the nearest one.

    Parameters
    ----------
    kind : str
        What was looked for, such as ``"strategy"``.
    name : str
        The name that was asked for.
    known : iterable of str
        The names there are.

    Examples
    --------
    >>> print(UnknownNameError("strategy", "BM52", ["BM25", "KeepLast"]))
    unknown strategy 'BM52'; did you mean 'BM25'? Known: BM25, KeepLast
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        lowered = {candidate.lower(): candidate for candidate in names}
        near = get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
        hint = f"did you mean {lowered[near[0]]!r}? " if near else ""
        listing = ", ".join(names) if names else "none"
        super().__init__(f"unknown {kind} {name!r}; {hint}Known: {listing}")
        self.kind, self.name, self.known = kind, name, names

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, list[str]]]:
        return type(self), (self.kind, self.name, self.known)


class BudgetError(CtxlabError, ValueError):
    """A budget that cannot be: not positive, not parseable, or smaller than what is pinned.

    Examples
    --------
    >>> raise BudgetError("budget 0 is not positive; ask for at least 1 token")
    Traceback (most recent call last):
    ctxlab.errors.BudgetError: budget 0 is not positive; ask for at least 1 token
    """


class PinnedOverBudgetError(BudgetError):
    """The pinned segments alone exceed the budget.

    Parameters
    ----------
    pinned, budget : int
        Tokens of the pinned part, and tokens allowed.
    why : str
        Which part it is, and what shortens it.

    Examples
    --------
    >>> print(PinnedOverBudgetError(pinned=900, budget=500))
    pinned segments take 900 tokens and the budget is 500; raise the budget to at least 900 or unpin
    """

    def __init__(self, pinned: int, budget: int, why: str = "") -> None:
        super().__init__(
            f"pinned segments take {pinned} tokens and the budget is {budget}; "
            f"raise the budget to at least {pinned} or unpin" + (f": {why}" if why else "")
        )
        self.pinned, self.budget, self.why = pinned, budget, why

    def __reduce__(self) -> tuple[type[PinnedOverBudgetError], tuple[int, int, str]]:
        return type(self), (self.pinned, self.budget, self.why)


class EncodingUnavailableError(CtxlabError, RuntimeError):
    """A tokenizer whose vocabulary is neither shipped, nor cached, nor reachable.

    Examples
    --------
    >>> issubclass(EncodingUnavailableError, RuntimeError)
    True
    """


class BrokenPromiseError(CtxlabError):
    """A strategy's result breaks a law that every result keeps: it is shown, and never ranked.

    Examples
    --------
    >>> issubclass(BrokenPromiseError, CtxlabError)
    True
    """


class SpecError(CtxlabError, ValueError):
    """A strategy or recipe text that cannot be turned into a strategy.

    Examples
    --------
    >>> issubclass(SpecError, ValueError)
    True
    """


class MissingToolError(CtxlabError, LookupError):
    """A strategy asked for an encoder or a model that its task does not carry.

    Examples
    --------
    >>> issubclass(MissingToolError, LookupError)
    True
    """


class MissingExtraError(CtxlabError, ImportError):
    """An optional dependency is absent; the message is the line that installs it.

    Parameters
    ----------
    feature : str
        What needs it.
    extra : str
        The extra of ctxlab that brings it.
    package : str
        What to install instead, where no extra brings it.

    Examples
    --------
    >>> print(MissingExtraError("PostgreSQL import", "postgres"))
    PostgreSQL import needs an optional package: pip install "ctxlab[postgres]"
    """

    def __init__(self, feature: str, extra: str = "", package: str = "") -> None:
        wanted = package or f"ctxlab[{extra}]"
        super().__init__(f'{feature} needs an optional package: pip install "{wanted}"')
        self.feature, self.extra, self.package = feature, extra, package

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, str]]:
        return type(self), (self.feature, self.extra, self.package)


class EncoderError(CtxlabError, RuntimeError):
    """An encoder that failed, or gave something else than one row of numbers per text.

    Examples
    --------
    >>> issubclass(EncoderError, RuntimeError)
    True
    """


class DataError(CtxlabError, ValueError):
    """A record that breaks its format, with its place.

    Parameters
    ----------
    problem : str
        What is wrong and what is expected.
    file : str, optional
        The file the record stands in.
    line : int, optional
        Line of the record, from 1.
    field : str, optional
        The field at fault, such as ``"messages[3].content"``.

    Examples
    --------
    >>> print(DataError("is missing; expected a string", "a.jsonl", 7, "messages[3].content"))
    a.jsonl, line 7, field messages[3].content: is missing; expected a string
    """

    def __init__(
        self, problem: str, file: str | None = None, line: int | None = None, field: str = ""
    ) -> None:
        place = [
            str(file) if file else "",
            f"line {line}" if line else "",
            f"field {field}" if field else "",
        ]
        where = ", ".join(part for part in place if part)
        super().__init__(f"{where}: {problem}" if where else problem)
        self.problem, self.file, self.line, self.field = problem, file, line, field

    def __reduce__(
        self,
    ) -> tuple[type[DataError], tuple[str, str | None, int | None, str]]:
        return type(self), (self.problem, self.file, self.line, self.field)

    def at(self, file: str | None = None, line: int | None = None, field: str = "") -> DataError:
        """Return the same error with the parts of its place that were still unknown.

        Examples
        --------
        >>> print(DataError("is empty", field="id").at("a.jsonl", 2))
        a.jsonl, line 2, field id: is empty
        """
        return DataError(self.problem, self.file or file, self.line or line, self.field or field)


class DatasetError(CtxlabError, RuntimeError):
    """A dataset that could not be fetched, or whose bytes are not the published ones.

    Examples
    --------
    >>> issubclass(DatasetError, RuntimeError)
    True
    """


class ViewError(CtxlabError, RuntimeError):
    """A report or a page that cannot be written where it should be.

    Examples
    --------
    >>> raise ViewError("report.html: no space left on device; make room there")
    Traceback (most recent call last):
    ctxlab.errors.ViewError: report.html: no space left on device; make room there
    """


class StoreError(CtxlabError, RuntimeError):
    """A store that cannot be opened, read or written; subclasses say why.

    Examples
    --------
    >>> issubclass(StoreLockedError, StoreError)
    True
    """


class StoreLockedError(StoreError):
    """Another process holds the store's file.

    Examples
    --------
    >>> issubclass(StoreLockedError, StoreError)
    True
    """


class StoreCorruptError(StoreError):
    """The file is not a DuckDB database, or is damaged.

    Examples
    --------
    >>> issubclass(StoreCorruptError, StoreError)
    True
    """


class ForkedStoreError(StoreError):
    """A store is used in a process that was forked from one that uses stores.

    Parameters
    ----------
    path : str
        The store's file.

    Examples
    --------
    >>> print(ForkedStoreError("lab.duckdb"))
    lab.duckdb cannot be used here, because this process was forked from one that uses stores, ...
    """

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} cannot be used here, because this process was forked from one that uses "
            "stores, whose threads are missing; save in the parent, or close it there and open it "
            "in a worker that was started with multiprocessing.get_context('spawn')"
        )
        self.path = path

    def __reduce__(self) -> tuple[type[ForkedStoreError], tuple[str]]:
        return type(self), (self.path,)


class OlderStoreError(StoreError):
    """The file needs migrations, and was opened to read only.

    Examples
    --------
    >>> issubclass(OlderStoreError, StoreError)
    True
    """


class NewerStoreError(StoreError):
    """The file was written by a newer ctxlab than this one.

    Examples
    --------
    >>> issubclass(NewerStoreError, StoreError)
    True
    """


class NotFoundError(StoreError, LookupError):
    """A row that was asked for by its id is not in the store.

    Examples
    --------
    >>> issubclass(NotFoundError, LookupError)
    True
    """


class ConflictError(StoreError):
    """A write that would break a promise: a duplicate, or a write-once row written twice.

    Examples
    --------
    >>> issubclass(ConflictError, StoreError)
    True
    """


class StaleVersionError(StoreError):
    """An optimistic write came too late: someone else saved a version in between.

    Parameters
    ----------
    what : str
        What was being written.
    expected, found : int
        The version the writer had seen, and the one now stored.

    Examples
    --------
    >>> print(StaleVersionError("artifact of step 'persona'", expected=3, found=5))
    artifact of step 'persona' is at version 5, not 3; read it again, merge, and save with
    expected_version=5
    """

    def __init__(self, what: str, expected: int, found: int) -> None:
        super().__init__(
            f"{what} is at version {found}, not {expected}; "
            f"read it again, merge, and save with expected_version={found}"
        )
        self.what, self.expected, self.found = what, expected, found

    def __reduce__(self) -> tuple[type[StaleVersionError], tuple[str, int, int]]:
        return type(self), (self.what, self.expected, self.found)


class InvalidArtifactError(CtxlabError, ValueError):
    """An artifact that its schema refuses, with the JSON path of every fault.

    Parameters
    ----------
    what : str
        Which artifact.
    faults : iterable of (str, str)
        JSON path and problem of every fault.

    Examples
    --------
    >>> print(InvalidArtifactError("artifact of step 'persona'", [("$.age", "is missing")]))
    artifact of step 'persona' breaks its schema in 1 place: $.age: is missing
    """

    _VERDICT = "breaks its schema"

    def __init__(self, what: str, faults: Iterable[tuple[str, str]]) -> None:
        self.what, self.faults = what, list(faults)
        places = f"{len(self.faults)} place" + ("s" if len(self.faults) != 1 else "")
        listing = "; ".join(f"{path}: {problem}" for path, problem in self.faults)
        super().__init__(f"{what} {self._VERDICT} in {places}: {listing}")

    def __reduce__(self) -> tuple[type[InvalidArtifactError], tuple[str, list[tuple[str, str]]]]:
        return type(self), (self.what, self.faults)


class NotJSONError(InvalidArtifactError):
    """A value that JSON cannot hold, with the JSON path of every fault.

    Examples
    --------
    >>> print(NotJSONError("artifact of step 'persona'", [("$.age", "NaN is no JSON number")]))
    artifact of step 'persona' is not JSON in 1 place: $.age: NaN is no JSON number
    """

    _VERDICT = "is not JSON"


class TransitionError(CtxlabError, ValueError):
    """A step or phase asked to go where its rules do not lead.

    Examples
    --------
    >>> issubclass(TransitionError, ValueError)
    True
    """


class StatisticsError(CtxlabError, ValueError):
    """Figures that no statistic can be made of, such as unpaired samples.

    Examples
    --------
    >>> issubclass(StatisticsError, ValueError)
    True
    """
