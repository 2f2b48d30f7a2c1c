"""Keys of trials and metrics: digests of all that can change a number, code included."""

from __future__ import annotations

import hashlib
import json
import platform
import secrets
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import CodeType

from ctxlab.core.cases import Case
from ctxlab.core.foreign_code import Named, Taken, UnreadableCodeError, describe, instructions
from ctxlab.core.metric import Metric
from ctxlab.core.named import NamedValue, qualified_name
from ctxlab.core.own_code import library_version, own_digest

# What every trial runs, whatever the strategy.
_RUNNING = ("ctxlab.core.budgets", "ctxlab.core.cases", "ctxlab.core.run")
_ATOMS = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented))
# Code that could not be read in one process is never the code that ran in another.
_THIS_PROCESS = secrets.token_hex(16)
_LIBRARIES = (
    "numpy", "scipy", "pydantic", "snowballstemmer", "tiktoken", "gigatoken", "tokenizers",
    "onnxruntime", "model2vec", "sentence-transformers", "torch", "transformers",
)  # fmt: skip
"""Libraries that can change a number."""


@dataclass(frozen=True)
class CodeDigest:
    """A digest of code, and whether it covers all that can change a result.

    Parameters
    ----------
    text : str
        64 hexadecimal digits. Where the digest is not certain, no other process has the same.
    certain : bool
        Whether a stored result of this digest may stand for a new one.
    reason : str
        What could not be read, and where; empty where all could.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> code_digest(KeepLast()).certain
    True
    """

    text: str
    certain: bool = True
    reason: str = ""


def code_digest(value: object) -> CodeDigest:
    """Return a digest of the code that a strategy, a metric, an encoder or a function runs.

    Code of ctxlab counts with every module that it imports. Code from elsewhere counts with its
    base classes, defaults, constants and closures, and with the functions, classes, modules and
    globals that it names, at any depth; a library and Python count by their version. Comments,
    docstrings and white space do not count. Files, environment variables and programs that code
    reads when it runs are not seen.

    Parameters
    ----------
    value : object
        What is called. The parameters that it holds count, too.

    Returns
    -------
    CodeDigest
        The same in every process of one version of Python, as long as the code is the same.

    Examples
    --------
    >>> from ctxlab.core.metric import as_metric
    >>> weight = 1.0
    >>> def shouted(run): return weight * run.after.text.isupper()
    >>> before = code_digest(as_metric(shouted))
    >>> weight = 2.0
    >>> before == code_digest(as_metric(shouted))
    False
    >>> import threading
    >>> lock = threading.Lock()
    >>> def guarded(run): return float(lock.locked())
    >>> print(code_digest(guarded).reason)
    guarded → lock: a _thread.lock has no stable form: cannot pickle '_thread.lock' object
    """
    reading = _Reading()
    text = reading.digest(value)
    if reading.reason:
        text = hashlib.sha256(f"{text} {_THIS_PROCESS}".encode()).hexdigest()
    return CodeDigest(text, not reading.reason, reading.reason)


class _Reading:
    """Reads a value and all that it rests on, each object once, so that circles end."""

    def __init__(self, inside: frozenset[int] = frozenset()) -> None:
        self._hash = hashlib.sha256()
        self._numbers: dict[object, int] = {}
        # Objects stay alive while they are read, so that no two share an id.
        self._queue: deque[tuple[object, str]] = deque()
        self._alive: list[object] = []
        self._inside = inside
        self.reason = ""

    def digest(self, value: object, where: str = "") -> str:
        self._read(value, where)
        while self._queue:
            item, where = self._queue.popleft()
            try:
                self._read(describe(item), where or _name(item))
            except UnreadableCodeError as error:
                self.reason = self.reason or (f"{where}: {error}" if where else str(error))
        return self._hash.hexdigest()

    def _read(self, value: object, where: str) -> None:
        kind = type(value)
        if kind in _ATOMS:
            self._write(f"{kind.__name__} {value!r}")
        elif kind is tuple:
            self._read_all("tuple", value, where)  # type: ignore[arg-type]
        elif isinstance(value, Named):
            self._write(f"name {value.name}")
            self._read(value.value, f"{where} → {value.name}" if where else value.name)
        elif isinstance(value, CodeType):
            self._read_code(value, where)
        else:
            self._refer(value, where)

    def _read_all(self, kind: str, values: tuple[object, ...] | list[object], where: str) -> None:
        self._write(f"{kind} {len(values)}")
        for value in values:
            self._read(value, where)

    def _read_code(self, code: CodeType, where: str) -> None:
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        self._read((*counts, code.co_exceptiontable, instructions(code)), where)

    def _refer(self, value: object, where: str) -> None:
        """Read sets, lists and tables at their first place only, and any other object later."""
        key = value if isinstance(value, Taken) else id(value)
        if isinstance(value, set | frozenset) and type(value) in (set, frozenset):
            self._read_set(value, where)
            return
        if key in self._numbers:
            self._write(f"again {self._numbers[key]}")
            return
        self._numbers[key] = len(self._numbers)
        self._alive.append(value)
        if type(value) is list:
            self._read_all("list", value, where)
        elif type(value) is dict:
            self._read_all("dict", tuple(value.items()), where)
        else:
            self._write("later")
            self._queue.append((value, where))

    def _read_set(self, value: set[object] | frozenset[object], where: str) -> None:
        if id(value) in self._inside:
            self._write("the set that this stands in")
            return
        digests = []
        for item in value:
            reading = _Reading(self._inside | {id(value)})
            digests.append(reading.digest(item, where))
            self.reason = self.reason or reading.reason
        self._write(f"{type(value).__name__} {' '.join(sorted(digests))}")

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self._hash.update(b"%d:%b" % (len(data), data))


def _name(value: object) -> str:
    if isinstance(value, NamedValue):
        return qualified_name(type(value)).rpartition(":")[2]
    return getattr(value, "__name__", "") if callable(value) else ""


def trial_key(
    *,
    spec: Mapping[str, object],
    code: CodeDigest,
    case: Case,
    budget: str,
    seed: int,
    encoding: str,
    encoder: str = "",
) -> str:
    """Return the key of a trial: another one wherever the result may be another.

    Parameters
    ----------
    spec : mapping
        The strategy, as `NamedValue.spec` writes it.
    code : CodeDigest
        Of the strategy. Where it is not certain, the key is not to be looked up.
    case : Case
        The conversation and its probes.
    budget : str
        As written: ``"10%"``.
    seed : int
        Of the task.
    encoding : str
        Whose tokens are counted.
    encoder : str
        The encoder's name and, where its code is its user's, the digest of that.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> keep, case = KeepLast(), Case("c", "d", ())
    >>> code = code_digest(keep)
    >>> keys = [
    ...     trial_key(spec=keep.spec(), code=code, case=case, budget=budget, seed=0,
    ...               encoding="o200k_base")
    ...     for budget in ("5%", "10%", "10%")
    ... ]
    >>> keys[0] == keys[1], keys[1] == keys[2]
    (False, True)
    """
    parts = {
        "budget": budget,
        "case": case.digest,
        "code": code.text,
        "encoder": encoder,
        "encoding": encoding,
        "seed": seed,
        "spec": spec,
        "running": _running(),
    }
    return _sha(parts)


def metric_key(metric: Metric, code: CodeDigest | None = None) -> str:
    """Return the key of a metric: another one wherever its number may be another.

    Parameters
    ----------
    metric : Metric
        What measures.
    code : CodeDigest, optional
        Its digest, where it was taken before.

    Examples
    --------
    >>> from ctxlab.metrics.availability import AllEvidence, AnswerKept
    >>> metric_key(AllEvidence()) == metric_key(AnswerKept())
    False
    """
    found = code or code_digest(metric)
    return _sha({"code": found.text, "metric": metric.name, "running": _running()})


@cache
def versions() -> dict[str, str]:
    """Return the versions that a result was computed with: ctxlab's, Python's, libraries'.

    Examples
    --------
    >>> {"ctxlab", "numpy", "python", "tiktoken"} <= versions().keys()
    True
    """
    libraries = {name: library_version(name) for name in ("ctxlab", *_LIBRARIES)}
    found = {"python": platform.python_version(), "platform": platform.platform(), **libraries}
    return {name: value for name, value in sorted(found.items()) if value}


@cache
def _running() -> str:
    # What a word and what lower case is, is in Python's tables, which change with its versions.
    return f"{own_digest(*_RUNNING)} Python {sys.version_info.major}.{sys.version_info.minor}"


def _sha(parts: Mapping[str, object]) -> str:
    # What JSON cannot say, such as a function, the digest of the code holds.
    text = json.dumps(parts, sort_keys=True, default=lambda value: type(value).__qualname__)
    return hashlib.sha256(text.encode()).hexdigest()
