"""A publisher's site on this machine: speaks the documented answers, and fails when told to."""

import gzip
import hashlib
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PUBLICATION = "education-health-and-care-plans"


class Site:
    """Pages by path; what is asked of it is kept in `asked` (path, headers).

    A page is bytes with a kind, or a function of the request handler. Faults put into `faults`
    for a path are used up first, one a request.
    """

    def __init__(self, certificate=None):
        self.pages, self.faults, self.asked = {}, {}, []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.asked.append((self.path, dict(self.headers)))
                path = urlsplit(self.path).path
                faults = site.faults.get(path, [])
                page = faults.pop(0) if faults else site.pages.get(path)
                if page is None:
                    problem(404, "Not Found")(self)
                elif callable(page):
                    page(self)
                else:
                    send(self, *page)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.address = self.address.replace("http", "https")
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self.thread.start()

    def close(self):
        """Stop answering."""
        self.server.shutdown()
        self.server.server_close()

    def count(self, path):
        """Times that a path was asked for."""
        return sum(urlsplit(asked).path == path for asked, _ in self.asked)

    def publish(self, year, archive, latest=None):
        """Offer a release as an archive, as the publication's page does."""
        slug = latest or year
        self.pages[f"/site/publications/{PUBLICATION}"] = as_json(
            {"id": "p", "slug": PUBLICATION, "latestRelease": {"id": "r", "slug": str(slug)}}
        )
        summary = f"/site/publications/{PUBLICATION}/releases/{year}/version-summary"
        self.pages[summary] = as_json({"id": f"version-{year}", "slug": str(year)})
        self.pages[f"/site/releases/version-{year}/files"] = (archive, "application/octet-stream")
        self.pages.setdefault("/api/publications", listing([]))

    def offer(self, year, tables, page_size=5):
        """Offer data sets in the API: title and CSV text."""
        results = [{"id": "p1", "title": "Education, health and care plans", "slug": PUBLICATION,
                    "summary": "", "lastPublished": "2026-06-25T09:30:00+00:00"}]  # fmt: skip
        self.pages["/api/publications"] = listing(results)
        sets = [{"id": f"d{n}", "title": title, "summary": "", "status": "Published"}
                for n, title in enumerate(tables)]  # fmt: skip
        self.pages["/api/publications/p1/data-sets"] = listing(sets, page_size)
        for n, text in enumerate(tables.values()):
            versions = [
                {"version": version, "type": "Major", "status": status, "totalResults": 1,
                 "release": {"title": f"Reporting year {slug}", "slug": str(slug)}}
                for version, slug, status in (
                    ("3.0", year + 1, "Published"), ("2.10", year, "Published"),
                    ("2.9", year, "Published"), ("2.11", year, "Withdrawn"),
                )
            ]  # fmt: skip
            self.pages[f"/api/data-sets/d{n}/versions"] = listing(versions)
            self.pages[f"/api/data-sets/d{n}/csv"] = compressed(text.encode())


def send(handler, body, kind, status=200, headers=None, ranges=True):
    """Answer with a body, or the part of it that is asked for, or that it is unchanged."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
    headers = {"ETag": tag} | (headers or {}) if ranges else headers or {}
    if ranges and handler.headers.get("If-None-Match") == tag:
        handler.send_response(304)
        handler.end_headers()
        return
    asked = handler.headers.get("Range")
    if ranges and asked and handler.headers.get("If-Range") == tag:
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        status, headers = (
            206,
            headers | {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"},
        )
        body = body[start:]
    handler.send_response(status)
    for name, value in ({"Content-Type": kind, "Content-Length": len(body)} | headers).items():
        handler.send_header(name, str(value))
    handler.end_headers()
    handler.wfile.write(body)


def as_json(content):
    """Page: a JSON object."""
    return json.dumps(content).encode(), "application/json; charset=utf-8"


def listing(results, page_size=20):
    """Page: a list in pages, as the API's documentation has it."""

    def page(handler):
        query = parse_qs(urlsplit(handler.path).query)
        number, pages = int(query.get("page", ["1"])[0]), -(-len(results) // page_size)
        content = {
            "paging": {"page": number, "pageSize": page_size, "totalPages": pages,
                       "totalResults": len(results)},
            "results": results[(number - 1) * page_size : number * page_size],
        }  # fmt: skip
        send(handler, *as_json(content))

    return page


def compressed(body):
    """Page: a CSV file, gzip compressed as the API sends it."""
    packed = gzip.compress(body, mtime=0)
    return lambda handler: send(handler, packed, "text/csv", headers={"Content-Encoding": "gzip"})


def problem(status, title, headers=None):
    """Fault: an error as the API's documentation has it."""
    body = json.dumps({"title": title, "type": title, "status": status}).encode()
    return lambda handler: send(
        handler, body, "application/problem+json", status, headers, ranges=False
    )


def cut_short(body, kind, after, tag=True):
    """Fault: the connection ends after so many bytes."""

    def page(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        if tag:
            handler.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()[:12]}"')
        handler.end_headers()
        handler.wfile.write(body[:after])
        handler.close_connection = True

    return page


def slow(body, kind, seconds):
    """Fault: half the body, then nothing for a while."""

    def page(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        time.sleep(seconds)
        handler.close_connection = True

    return page


def redirect(to, status=302):
    """Page: somewhere else."""
    return lambda handler: send(handler, b"", "text/plain", status, {"Location": to}, ranges=False)
