"""Questions to a publisher's site and downloads from it: the only module that opens a connection.

An attempt that fails for a passing reason is repeated, ever more slowly, or as slowly as the site
asks; a download goes on where it broke off; what is not the file that was asked for is refused.
"""

from __future__ import annotations

import gzip
import os
import ssl
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import truststore
from tqdm import tqdm

from send_analysis import __version__
from send_analysis.cleaning.layout import sha256
from send_analysis.errors import ParameterError, SourceError, nearest

ATTEMPTS = 5
PAUSE = 1.0  # seconds after the first failure, doubled after each
LONGEST_PAUSE = 60.0  # seconds
PATIENCE = 300.0  # seconds: a server that asks for a longer wait is left alone
BUSY = {408, 429, 500, 502, 503, 504}  # statuses that may pass
AGENT = f"send-analysis/{__version__}"
# For sites that refuse programs: what a browser sends, and who it is all the same.
BROWSER = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) {AGENT}"
CERTIFICATES = "SSL_CERT_FILE"

Wait = Callable[[float], None]


class Client(httpx.Client):
    """A client, and how it waits between attempts."""

    wait: Wait = staticmethod(time.sleep)  # takes seconds


class _RefusedError(Exception):
    """An answer that a browser might not get."""


class _BusyError(Exception):
    """An answer that may be another one in a while."""

    def __init__(self, reason: str, seconds: float | None = None):
        super().__init__(reason)
        self.seconds = seconds


def connect(timeout: float = 30.0, wait: Wait = time.sleep) -> Client:
    """Return a client that says who it is and opens two connections at most.

    Parameters
    ----------
    timeout : float
        Seconds without an answer, or without a byte of one, after which an attempt has failed.
    wait : callable
        Takes the seconds between attempts.

    Raises
    ------
    ParameterError
        If ``SSL_CERT_FILE`` or a proxy that the environment names cannot be used.
    """
    try:
        client = Client(
            headers={"User-Agent": AGENT},
            follow_redirects=True,
            max_redirects=5,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            limits=httpx.Limits(max_connections=2),
            verify=_trusted(),
        )
        client.wait = wait
        return client
    except (ImportError, ValueError, httpx.InvalidURL) as fault:
        names = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
        chosen = {n: os.environ.get(n) or os.environ.get(n.lower()) for n in names}
        hint = ". For SOCKS, run `pip install socksio`" if isinstance(fault, ImportError) else ""
        raise ParameterError(
            f"The proxy of {' or '.join(n for n in names if chosen[n]) or 'the system'} cannot be "
            f"used ({str(fault).partition('. ')[0]}){hint}. Set http://HOST:PORT, or unset it."
        ) from None


def _trusted() -> ssl.SSLContext:
    """Certificates of the system's store, to which offices add their own, and ``SSL_CERT_FILE``."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    chosen = os.environ.get(CERTIFICATES)
    if chosen:
        try:
            context.load_verify_locations(cafile=chosen)
        except OSError as fault:
            raise ParameterError(
                f"{CERTIFICATES}: {chosen} has no certificates that can be read "
                f"({fault.strerror or fault}); name a PEM file, or unset it."
            ) from None
    return context


def _asked_to_wait(answer: httpx.Response) -> float | None:
    """Seconds that the header Retry-After asks for: a number of them, or a date."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _accept(answer: httpx.Response, url: str) -> None:
    """Refuse an answer that is none; tell faults that may pass from those that stay."""
    asked, got = httpx.URL(url), answer.url
    if asked.scheme == "https" and got.scheme != "https":
        raise SourceError(f"{url} leads to {got}, which is not encrypted: not followed")
    if answer.status_code in BUSY:
        raise _BusyError(f"status {answer.status_code}", _asked_to_wait(answer))
    if answer.status_code == 404:
        raise SourceError(
            f"{url}: not found (404). The publisher has moved or withdrawn it; correct its entry "
            "in releases.yml"
        )
    if answer.status_code == 403 and answer.request.headers.get("User-Agent") == AGENT:
        raise _RefusedError
    if answer.status_code == 407:
        raise _proxy_refuses(url)
    if answer.is_error:
        raise SourceError(f"{url}: refused with status {answer.status_code}")


def _proxy_refuses(url: str) -> SourceError:
    """Build the error for a proxy that wants a name and a password."""
    return SourceError(
        f"{url}: the proxy wants you to sign in (407); put name and password into HTTPS_PROXY, as "
        "http://NAME:PASSWORD@HOST:PORT"
    )


def _untrusted(fault: BaseException | None) -> str:
    """What is said against a certificate; nothing if the fault is another."""
    while fault is not None:
        if isinstance(fault, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(fault):
            return str(getattr(fault, "verify_message", "") or fault)
        fault = fault.__cause__ or fault.__context__
    return ""


def _persist(attempt: Callable[[], Any], url: str, client: Client, attempts: int) -> Any:
    """Try until it works, ever more slowly, or as slowly as the server asks."""
    reason = ""
    for count in range(attempts):
        pause = min(PAUSE * 2**count, LONGEST_PAUSE)
        try:
            try:
                return attempt()
            except _RefusedError:
                client.headers["User-Agent"] = BROWSER
                return attempt()
        except _BusyError as fault:
            reason = str(fault)
            pause = pause if fault.seconds is None else fault.seconds
            if pause > PATIENCE:
                raise SourceError(
                    f"{url}: {reason}, and asks to wait {pause:,.0f} seconds. Try again then; "
                    "what was fetched is kept"
                ) from None
        except httpx.TransportError as fault:
            reason = str(fault) or type(fault).__name__
            certificate = _untrusted(fault)
            if certificate:
                raise SourceError(
                    f"{url}: its certificate is not trusted here ({certificate}). If your office "
                    f"inspects connections, set {CERTIFICATES} to the file of its certificates"
                ) from None
            if "407" in reason and isinstance(fault, httpx.ProxyError):
                raise _proxy_refuses(url) from None
            if isinstance(fault, httpx.UnsupportedProtocol):
                raise SourceError(f"{url}: not an address ({reason})") from None
        except httpx.TooManyRedirects:
            raise SourceError(f"{url}: redirected in a circle") from None
        except (httpx.InvalidURL, httpx.DecodingError) as fault:
            raise SourceError(f"{url}: no answer that can be read ({fault})") from None
        if count < attempts - 1:
            client.wait(pause)
    raise SourceError(
        f"{url}: {attempts} attempts failed, the last with: {reason}. Check the connection and try "
        "again; what was fetched is kept"
    )


def ask(client: Client, url: str, params: dict | None = None, *, attempts: int = ATTEMPTS) -> dict:
    """Get a JSON object.

    Raises
    ------
    SourceError
        If there is none, after several attempts where it may be a passing fault.
    """

    def attempt() -> dict:
        answer = client.get(url, params=params)
        _accept(answer, url)
        try:
            content = answer.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise SourceError(f"{url}: the answer is not the JSON object that is documented")
        return content

    return _persist(attempt, url, client, attempts)


def field(content: dict, name: str, url: str) -> Any:
    """Return a field of an answer of `url`, refusing an answer without it."""
    if not isinstance(content, dict):
        raise SourceError(f"{url}: {name!r} is looked for in {content!r}; the API has changed")
    if name not in content:
        near = nearest(name, content)
        hint = f" (nearest: {', '.join(near)})" if near else ""
        raise SourceError(
            f"{url}: the answer has no {name!r}{hint}; the API has changed, see docs/releases.md"
        )
    return content[name]


def pages(
    client: Client, url: str, params: dict | None = None, *, attempts: int = ATTEMPTS
) -> Iterator[dict]:
    """Yield the results of all pages of a list."""
    page = pages = 1
    while page <= pages:
        asked = {**(params or {}), "page": page}
        content = ask(client, url, asked, attempts=attempts)
        yield from field(content, "results", url)
        pages = field(field(content, "paging", url), "totalPages", url)
        page += 1


def fetch(
    client: Client,
    url: str,
    file: Path,
    *,
    kind: str,
    record: dict | None = None,
    attempts: int = ATTEMPTS,
) -> dict:
    """Download a file, going on where an earlier attempt broke off.

    Parameters
    ----------
    client : Client
        As :func:`connect` gives it.
    url : str
        Address.
    file : Path
        Where it goes; it is there only when it is whole. Until then its bytes are in a file
        beside it that ends in ``.part``.
    kind : str
        ``csv`` or ``zip``: anything else is refused. Other kinds are taken as they come.
    record : dict, optional
        What this function returned of the same address before: the file is downloaded only if
        the publisher's has changed.

    Returns
    -------
    dict
        ``url, bytes, sha256, etag, last_modified, fetched`` (day, UTC).

    Raises
    ------
    SourceError
        If there is no such file, or it is not of its kind, or the attempts are used up.
    """
    part, mark = file.with_name(f"{file.name}.part"), file.with_name(f"{file.name}.part.tag")
    file.parent.mkdir(parents=True, exist_ok=True)
    unchanged = record is not None and file.is_file() and sha256(file) == record["sha256"]

    def attempt() -> dict | None:
        # Without a mark of the version, the rest could be of another one.
        tag = mark.read_text(encoding="utf-8") if part.is_file() and mark.is_file() else ""
        have = part.stat().st_size if tag else 0
        headers = {"Accept-Encoding": "gzip"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": tag}
        elif unchanged and record["etag"]:
            headers["If-None-Match"] = record["etag"]
        elif unchanged and record["last_modified"]:
            headers["If-Modified-Since"] = record["last_modified"]
        with client.stream("GET", url, headers=headers) as answer:
            if answer.status_code == 304:
                return None
            if answer.status_code == 416:  # the part is not a beginning of what is there now
                part.unlink()
                raise _BusyError("the file has changed", 0.0)
            _accept(answer, url)
            if "html" in answer.headers.get("Content-Type", ""):
                raise _web_page(url)
            on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(
                f"bytes {have}-"
            )
            tag = answer.headers.get("ETag", "")
            tag = answer.headers.get("Last-Modified", "") if tag.startswith("W/") else tag
            if not on:
                part.unlink(missing_ok=True)
            mark.write_text(tag or answer.headers.get("Last-Modified", ""), encoding="utf-8")
            _save(answer, part, have if on else 0, file.name)
            return {
                "url": url,
                "etag": answer.headers.get("ETag", ""),
                "last_modified": answer.headers.get("Last-Modified", ""),
                "encoding": answer.headers.get("Content-Encoding", ""),
            }

    got = _persist(attempt, url, client, attempts)
    if got is None:
        return record
    if got.pop("encoding") == "gzip":
        try:
            part.write_bytes(gzip.decompress(part.read_bytes()))
        except (OSError, EOFError):
            part.unlink()
            raise SourceError(f"{url}: damaged on the way; try again") from None
    try:
        _check_kind(part, kind, url)
    except SourceError:
        part.unlink()
        raise
    finally:
        mark.unlink(missing_ok=True)
    part.replace(file)
    today = datetime.now(UTC).date().isoformat()
    return got | {"bytes": file.stat().st_size, "sha256": sha256(file), "fetched": today}


def _save(answer: httpx.Response, part: Path, start: int, label: str) -> None:
    """Write a body as it comes, encoded as it is, with a progress bar."""
    length = answer.headers.get("Content-Length")
    with (
        part.open("ab" if start else "wb") as file,
        tqdm(
            total=start + int(length) if length else None,
            initial=start,
            desc=label,
            unit="B",
            unit_scale=True,
            disable=None,
            leave=False,
        ) as bar,
    ):
        for chunk in answer.iter_raw():
            file.write(chunk)
            bar.update(len(chunk))


def _web_page(url: str) -> SourceError:
    """Build the error for a page where a file should be."""
    return SourceError(
        f"{url}: a web page, not a file. The address has changed, or a gateway on the way wants "
        "you to sign in"
    )


def _check_kind(file: Path, kind: str, url: str) -> None:
    """Refuse a file that is not what its address promised."""
    with file.open("rb") as content:
        head = content.read(1024)
    if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:5].lower() in {b"<!doc", b"<html"}:
        raise _web_page(url)
    if kind == "csv" and b"," not in head.partition(b"\n")[0]:
        raise SourceError(f"{url}: not a CSV file (its first line is {head[:60]!r})")
    if kind == "zip":
        try:
            with zipfile.ZipFile(file) as archive:
                bad = archive.testzip()
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as fault:
            raise SourceError(f"{url}: not a whole archive ({fault}); try again") from None
        if bad is not None:
            raise SourceError(f"{url}: {bad} in the archive is damaged; try again")
