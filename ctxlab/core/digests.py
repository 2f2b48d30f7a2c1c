"""Digests of code: whatever a strategy, a metric, an encoder or a function rests on."""

from __future__ import annotations

import hashlib
import secrets
from collections import deque
from dataclasses import dataclass
from types import CodeType

from ctxlab.core.code_references import Named, Taken, instructions
from ctxlab.core.foreign_code import UnreadableCodeError, describe
from ctxlab.core.named import NamedValue, qualified_name

_ATOMS = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented))
# Code that could not be read in one process is never the code that ran in another.
_THIS_PROCESS = secrets.token_hex(16)


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
    docstrings and white space do not count. Code that opens files, reads environment variables or
    imports by a text has no digest. What is put in place of a function of ctxlab's or of a
    library's while a process runs is not seen, nor are programs that code starts.

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
