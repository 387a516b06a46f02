"""Downloads against a site on this machine that fails in every way a site can."""

import ast
import hashlib
import re

import pytest
from local_site import Site, as_json, compressed, cut_short, listing, problem, redirect, slow

from send_analysis.errors import ParameterError, SourceError
from send_analysis.releases import sources

CSV = b"area,plans\n" + b"".join(b"place %d,%d\n" % (n, n) for n in range(5000))
PATH = "/files/plans.csv"
# Made for this test and for nothing else: localhost, signed by itself, to 2126.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeUsLFI595PBCJgf4
d/qZefYQuN17ayRyPZ/ESYzkKFKhRANCAARFcu+Mbo/XPGEwbZElR1bm73ROIdVQ
BHuNk4WqxWzAihIzHWefjT1yp5t318MY6y9q4Dv7LFtNnHkvO7/IHtDn
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUfM3561i0MLpZAkS4YrypDk4A+UkwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODA2MjM1MFoYDzIxMjYxMTA0
MDYyMzUwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARFcu+Mbo/XPGEwbZElR1bm73ROIdVQBHuNk4WqxWzAihIzHWefjT1y
p5t318MY6y9q4Dv7LFtNnHkvO7/IHtDno28wbTAdBgNVHQ4EFgQUqi9HCU50pjXw
uUvFMRjCSq8IfvAwHwYDVR0jBBgwFoAUqi9HCU50pjXwuUvFMRjCSq8IfvAwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAIWWXYoyHqKqIPmi8ZbaOM6n0u+VQPSo0ZpnXMNCnAhSAiEA
ppNCEWJHRlXJTinmpBfRhQHsjsW1VSJN1eNBYnlMC2I=
-----END CERTIFICATE-----
"""


@pytest.fixture
def site():
    local = Site()
    local.pages[PATH] = (CSV, "text/csv")
    yield local
    local.close()


@pytest.fixture
def get(site, tmp_path):
    """Fetch a path; returns the record. Pauses are noted in `get.pauses`, not kept."""
    pauses = []
    client = sources.connect(timeout=0.2, wait=pauses.append)

    def call(path=PATH, kind="csv", record=None):
        return sources.fetch(client, site.address + path, tmp_path / "plans.csv", kind=kind,
                             record=record)  # fmt: skip

    call.pauses, call.file, call.client = pauses, tmp_path / "plans.csv", client
    yield call
    client.close()


def left_behind(get):
    return sorted(path.name for path in get.file.parent.iterdir())


def test_a_file_is_fetched_and_recorded(get, site):
    record = get()
    assert get.file.read_bytes() == CSV
    assert record["sha256"] == hashlib.sha256(CSV).hexdigest()
    assert record["bytes"] == len(CSV)
    assert record["url"] == site.address + PATH
    assert left_behind(get) == ["plans.csv"]
    assert site.asked[0][1]["User-Agent"].startswith("send-analysis/")


def test_an_unchanged_file_is_not_sent_again(get, site):
    record = get()
    site.pages[PATH] = lambda handler: _only_if_new(handler)
    assert get(record=record) == record
    assert site.asked[1][1]["If-None-Match"] == record["etag"]
    get.file.write_text("changed by hand")
    site.pages[PATH] = (CSV, "text/csv")
    get(record=record)
    assert "If-None-Match" not in site.asked[2][1]
    assert get.file.read_bytes() == CSV


def _only_if_new(handler):
    handler.send_response(304 if "If-None-Match" in handler.headers else 500)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def test_a_compressed_file_is_unpacked(get, site):
    site.pages[PATH] = compressed(CSV)
    get()
    assert get.file.read_bytes() == CSV


def test_a_program_that_is_refused_asks_once_more_as_a_browser(get, site):
    site.faults[PATH] = [problem(403, "Forbidden")]
    get()
    assert get.file.read_bytes() == CSV
    agents = [headers["User-Agent"] for _, headers in site.asked]
    assert agents[0].startswith("send-analysis/")
    assert agents[1].startswith("Mozilla/5.0")
    site.faults[PATH] = [problem(403, "Forbidden")] * 2
    with pytest.raises(SourceError, match="refused with status 403"):
        get()
    assert len(site.asked) == 3
    assert get.pauses == []


def test_a_certificate_that_is_not_trusted_is_not_tried_again(monkeypatch, tmp_path):
    """A site with a certificate of its own, as an office's gateway has; then one that is named."""
    file = tmp_path / "own.pem"
    file.write_text(CERTIFICATE)
    site = Site(file)
    site.pages[PATH] = (CSV, "text/csv")
    url = site.address.replace("127.0.0.1", "localhost") + PATH
    pauses = []
    for chosen in (None, file):
        if chosen:
            monkeypatch.setenv("SSL_CERT_FILE", str(chosen))
        else:
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        with sources.connect(timeout=2, wait=pauses.append) as client:
            if chosen:
                assert sources.fetch(client, url, tmp_path / "x.csv", kind="csv")["bytes"]
            else:
                with pytest.raises(SourceError, match=r"not trusted here .*set SSL_CERT_FILE"):
                    sources.fetch(client, url, tmp_path / "x.csv", kind="csv")
    assert pauses == []
    site.close()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
    with pytest.raises(ParameterError, match=r"SSL_CERT_FILE: .*nowhere.pem has no certificates"):
        sources.connect()


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "127.0.0.1:x", "gopher://there:70"])
def test_a_proxy_that_cannot_be_used_gives_words(monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ParameterError, match=r"^The proxy of ALL_PROXY cannot be used \("):
        sources.connect()


def test_a_proxy_that_wants_a_password_is_not_asked_again(site, monkeypatch, tmp_path):
    site.pages["http://publisher.example/x.csv"] = problem(407, "Proxy Authentication Required")
    monkeypatch.setenv("HTTP_PROXY", site.address)
    site.pages["/x.csv"] = problem(407, "Proxy Authentication Required")
    with (
        sources.connect(timeout=0.5, wait=lambda _: None) as client,
        pytest.raises(SourceError, match=r"sign in \(407\); put name and password"),
    ):
        sources.fetch(client, "http://publisher.example/x.csv", tmp_path / "x", kind="csv")
    assert len(site.asked) == 1


def test_not_found_is_said_at_once(get, site):
    with pytest.raises(SourceError, match=r"not found \(404\).*releases.yml"):
        get("/files/moved.csv")
    assert len(site.asked) == 1
    assert left_behind(get) == []


def test_two_server_errors_and_then_the_file(get, site):
    site.faults[PATH] = [problem(500, "Internal Server Error"), problem(504, "Gateway Timeout")]
    get()
    assert get.file.read_bytes() == CSV
    assert get.pauses == [1.0, 2.0]


def test_a_site_that_asks_to_wait_gets_its_wait(get, site):
    site.faults[PATH] = [
        problem(429, "Too Many Requests", {"Retry-After": "7"}),
        problem(503, "Unavailable", {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        problem(429, "Too Many Requests"),
    ]
    get()
    assert get.pauses == [7.0, 0.0, 4.0]


def test_a_site_that_asks_for_too_long_a_wait_is_left_alone(get, site):
    site.faults[PATH] = [problem(429, "Too Many Requests", {"Retry-After": "3600"})]
    with pytest.raises(SourceError, match="asks to wait 3,600 seconds"):
        get()
    assert len(site.asked) == 1
    assert get.pauses == []


def test_patience_ends(get, site):
    site.faults[PATH] = [problem(500, "Internal Server Error")] * sources.ATTEMPTS
    with pytest.raises(SourceError, match="5 attempts failed, the last with: status 500"):
        get()
    assert get.pauses == [1.0, 2.0, 4.0, 8.0]


def test_a_body_cut_short_goes_on_where_it_ended(get, site):
    site.faults[PATH] = [cut_short(CSV, "text/csv", 1000)]
    get()
    assert get.file.read_bytes() == CSV
    assert site.asked[1][1]["Range"] == "bytes=1000-"
    assert left_behind(get) == ["plans.csv"]


def test_a_body_cut_short_is_resumed_by_a_later_run(get, site):
    site.faults[PATH] = [cut_short(CSV, "text/csv", 1000)] + [
        problem(500, "Internal Server Error")
    ] * 4
    with pytest.raises(SourceError):
        get()
    assert left_behind(get) == ["plans.csv.part", "plans.csv.part.tag"]
    get()
    assert get.file.read_bytes() == CSV
    assert site.asked[-1][1]["Range"] == "bytes=1000-"


def test_a_file_that_changed_in_between_is_fetched_anew(get, site):
    site.faults[PATH] = [cut_short(CSV, "text/csv", 1000)]
    site.pages[PATH] = (CSV.replace(b"plans", b"cases"), "text/csv")
    get()
    assert get.file.read_bytes() == CSV.replace(b"plans", b"cases")


def test_without_a_mark_of_the_version_nothing_is_resumed(get, site):
    site.faults[PATH] = [cut_short(CSV, "text/csv", 1000, tag=False)]
    get()
    assert "Range" not in site.asked[1][1]
    assert get.file.read_bytes() == CSV


def test_a_part_that_is_longer_than_the_file_is_thrown_away(get, site):
    get.file.with_name("plans.csv.part").write_bytes(CSV + b"more")
    get.file.with_name("plans.csv.part.tag").write_text('"x"')
    site.faults[PATH] = [problem(416, "Range Not Satisfiable")]
    get()
    assert get.file.read_bytes() == CSV


def test_a_slow_body_counts_as_a_failed_attempt(get, site):
    site.faults[PATH] = [slow(CSV, "text/csv", 0.5)]
    get()
    assert get.pauses == [1.0]
    assert get.file.read_bytes() == CSV


def test_no_answer_at_all_ends_in_one_error(tmp_path):
    local = Site()
    local.close()
    with (
        sources.connect(timeout=0.2, wait=lambda _: None) as client,
        pytest.raises(SourceError, match=r"5 attempts failed.*Check the connection"),
    ):
        sources.fetch(client, local.address + PATH, tmp_path / "x", kind="csv")


@pytest.mark.parametrize(
    ("page", "kind", "says"),
    [
        ((b"<!DOCTYPE html><html>Sign in</html>", "text/html"), "csv", "a web page, not a file"),
        ((b"\n <html>Sign in</html>", "text/csv"), "csv", "a web page, not a file"),
        ((b"no table here\n", "text/csv"), "csv", "not a CSV file"),
        ((b"PK\x03\x04 and no more", "application/zip"), "zip", "not a whole archive"),
    ],
    ids=["html", "html called csv", "text", "half an archive"],
)
def test_what_is_not_the_file_is_refused(get, site, page, kind, says):
    site.pages[PATH] = page
    with pytest.raises(SourceError, match=says):
        get(kind=kind)
    assert left_behind(get) == []


def test_a_redirect_is_followed_and_a_circle_is_not(get, site):
    site.pages["/old"] = redirect(PATH, 301)
    get("/old")
    assert get.file.read_bytes() == CSV
    site.pages["/circle"] = redirect("/circle")
    with pytest.raises(SourceError, match="circle"):
        get("/circle")


def test_an_answer_out_of_the_encrypted_is_refused():
    answer = sources.httpx.Response(
        200, request=sources.httpx.Request("GET", "http://elsewhere.example/x")
    )
    with pytest.raises(SourceError, match="not encrypted"):
        sources._accept(answer, "https://publisher.example/x")


def test_lists_are_read_page_by_page(get, site):
    site.pages["/list"] = listing([{"id": n} for n in range(7)], page_size=3)
    found = sources.pages(get.client, site.address + "/list")
    assert [row["id"] for row in found] == list(range(7))
    assert len(site.asked) == 3


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (as_json({"paging": {"totalPages": 1}, "result": []}), "no 'results' .nearest: result"),
        (as_json([1, 2]), "not the JSON object"),
        ((b"<html></html>", "text/html"), "not the JSON object"),
    ],
)
def test_an_answer_of_another_shape_is_refused(get, site, page, says):
    site.pages["/list"] = page
    with pytest.raises(SourceError, match=says):
        list(sources.pages(get.client, site.address + "/list"))


def test_no_other_module_opens_a_connection(root):
    network = re.compile(
        r"(httpx|httpcore|requests|pooch|urllib3|urllib\.request|urllib|socket|ssl|http|http\.\w+"
        r"|ftplib|smtplib|aiohttp)"
    )
    found = {}
    for file in sorted((root / "send_analysis").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            if any(network.fullmatch(name) for name in names):
                found.setdefault(file.name, []).extend(names)
    assert found == {"sources.py": ["ssl", "httpx"]}
