"""Embeddings from any endpoint that speaks OpenAI's protocol."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from time import sleep, time
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import numpy as np

from ctxlab.errors import EncoderError
from ctxlab.models.encoder_names import readable
from ctxlab.models.matrices import Matrix

OPENAI = "https://api.openai.com/v1"
_PASSING = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_REMEDIES = {
    400: "check the model's name and the length of the texts",
    401: "check the key",
    403: "check what the key may do",
    404: "check base_url and the model's name",
    429: "wait, or ask for a higher limit",
}


@dataclass(frozen=True)
class OpenAIEncoder:
    """An embedding model behind OpenAI's ``/embeddings``, or a server that speaks the same.

    The key is read from the environment at each call and stands nowhere else: not in the
    value, its repr, its pickle, nor in an error. A server of one's own may do without.

    Parameters
    ----------
    model : str
        As the server names it.
    base_url : str
        Address that ``/embeddings`` is added to; it must not carry a password.
    key_variable : str
        Environment variable that holds the key.
    dimensions : int, optional
        Numbers per text, where the model lets one choose.
    max_characters : int
        Longer texts are cut; OpenAI's models take 8,191 tokens.
    batch_size : int
        Texts a request.
    retries : int
        Further attempts after a 429, a server's failure or a dropped connection.
    wait : float
        Seconds before the first of them where the server names none; doubled each time.
    longest_wait : float
        Seconds; a server that asks for more is not waited for.
    timeout : float
        Seconds that a request may take.

    Raises
    ------
    EncoderError
        When the address is none, or carries a password.

    Examples
    --------
    >>> OpenAIEncoder("text-embedding-3-small").name
    'openai:text-embedding-3-small'
    """

    model: str
    base_url: str = OPENAI
    key_variable: str = "OPENAI_API_KEY"
    dimensions: int | None = None
    max_characters: int = 8_000
    batch_size: int = 128
    retries: int = 5
    wait: float = 0.5
    longest_wait: float = 60.0
    timeout: float = 60.0

    def __post_init__(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise EncoderError(f"base_url {self.base_url!r} is no http or https address")
        if address.username or address.password or address.query:
            host = address.hostname
            raise EncoderError(
                f"base_url on {host} carries a user, a password or a query; put the key into the "
                f"environment variable {self.key_variable}"
            )

    @property
    def name(self) -> str:
        """What its vectors are kept under: the model, and what else changes them.

        Examples
        --------
        >>> OpenAIEncoder("e5", base_url="http://localhost:8080/v1", dimensions=64).name
        'openai:e5 at http://localhost:8080/v1, 64 dimensions'
        """
        place = "" if self.base_url == OPENAI else f" at {self.base_url}"
        size = f", {self.dimensions} dimensions" if self.dimensions else ""
        cut = "" if self.max_characters == 8_000 else f", {self.max_characters} characters"
        return f"openai:{self.model}{place}{size}{cut}"

    def __call__(self, texts: Sequence[str], /) -> Matrix:
        """Return one vector per text.

        Raises
        ------
        EncoderError
            When the server refuses or fails for good; the message names status and remedy.
        """
        # The protocol refuses an empty text.
        sent = [text[: self.max_characters] or " " for text in readable(texts)]
        batches = [sent[i : i + self.batch_size] for i in range(0, len(sent), self.batch_size)]
        if not batches:
            return np.zeros((0, 0), np.float32)
        return np.concatenate([self._batch(batch) for batch in batches])

    def _batch(self, texts: list[str]) -> Matrix:
        body: dict[str, object] = {"model": self.model, "input": texts, "encoding_format": "float"}
        if self.dimensions:
            body["dimensions"] = self.dimensions
        answer = self._ask(json.dumps(body).encode())
        try:
            rows = sorted(json.loads(answer)["data"], key=lambda row: int(row["index"]))
            matrix = np.asarray([row["embedding"] for row in rows], np.float32)
        except (ValueError, TypeError, KeyError) as error:
            raise EncoderError(
                f"{self._endpoint} answered {self._quoted(answer)} instead of data[i].embedding; "
                "check base_url"
            ) from error
        if matrix.ndim != 2 or len(matrix) != len(texts):
            raise EncoderError(
                f"{self._endpoint} gave {len(rows)} vectors of shape {matrix.shape} for "
                f"{len(texts)} texts; check that {self.model!r} is an embedding model"
            )
        return matrix

    def _ask(self, body: bytes) -> bytes:
        """Send a request until it is answered, or fails for good."""
        for attempt in range(self.retries + 1):
            pause = self.wait * 2**attempt
            try:
                return self._post(body)
            except HTTPError as error:
                failure = self._refusal(error)
                if error.code not in _PASSING:
                    raise failure from None
                pause = _asked_wait(error.headers) or pause
            except (URLError, HTTPException, ConnectionError, TimeoutError) as error:
                reason = getattr(error, "reason", None) or error
                failure = EncoderError(
                    f"{self._endpoint} cannot be reached ({reason}); check base_url and the network"
                )
            if pause > self.longest_wait:
                raise EncoderError(f"{failure}; it asks to be left alone for {pause:,.0f} seconds")
            if attempt < self.retries:
                sleep(pause)
        raise EncoderError(f"{failure}; given up after {self.retries + 1} attempts")

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        key = self._key()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        request = Request(self._endpoint, body, headers)  # noqa: S310 - http or https, checked
        with build_opener(_NoRedirect).open(request, timeout=self.timeout) as answer:
            read: bytes = answer.read()
            return read

    @property
    def _endpoint(self) -> str:
        return f"{self.base_url.rstrip('/')}/embeddings"

    def _key(self) -> str:
        key = os.environ.get(self.key_variable, "").strip()
        if not key and self.base_url == OPENAI:
            raise EncoderError(
                f"there is no key in the environment variable {self.key_variable}; set it"
            )
        if not (key.isascii() and key.isprintable()):
            raise EncoderError(
                f"the key in {self.key_variable} holds a character that no key has; set it again"
            )
        return key

    def _refusal(self, error: HTTPError) -> EncoderError:
        remedy = _REMEDIES.get(error.code, "try again later")
        if 300 <= error.code < 400:
            remedy = f"it moved to {error.headers.get('Location')}; set base_url to that"
        return EncoderError(
            f"{self._endpoint} refused with status {error.code} ({self._quoted(_text(error))}); "
            f"{remedy}"
        )

    def _quoted(self, answer: bytes) -> str:
        """Return the beginning of an answer without the key, which a server may echo."""
        text = " ".join(answer.decode("utf-8", "replace").split())
        key = self._key()
        return repr((text.replace(key, "…") if key else text)[:200])


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect, since the key would go along."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def _text(error: HTTPError) -> bytes:
    try:
        return error.read(4096)
    except (OSError, HTTPException):
        return b""


def _asked_wait(headers: Message) -> float:
    """Return the seconds of ``Retry-After``, a number or a date; 0 where there is none."""
    asked = headers.get("Retry-After", "").strip()
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time())
    except ValueError:
        return 0.0
