"""Where a release is found, and what is made of it."""

import zipfile

import made_up
import pytest
from local_site import Site, as_json, cut_short, listing, problem, slow

from send_analysis.cleaning import layout
from send_analysis.errors import SourceError
from send_analysis.releases import publishers, sources

ENTRY = layout.release("ehc_plans_2026")


@pytest.fixture
def site():
    local = Site()
    yield local
    local.close()


@pytest.fixture
def fetch(site, tmp_path):
    """Fetch a release into a cache."""
    at = publishers.addresses(f"{site.address}/api", f"{site.address}/site")
    with sources.connect(timeout=0.5, wait=lambda seconds: None) as client:
        yield lambda entry=ENTRY: publishers.fetch_release(client, entry, tmp_path, at=at)


def data_sets():
    """The made-up files by the titles that the publisher gives its data sets."""
    made = made_up.files(2026)
    titles = {}
    for spec in ENTRY["files"].values():
        if "data_set" in spec:
            name = layout.find_member(spec["member"], made)
            titles[spec["data_set"].upper()] = made[name].to_csv(index=False)
    return titles


def test_addresses_can_be_given_or_set(monkeypatch):
    monkeypatch.delenv("SEND_ANALYSIS_API", raising=False)
    monkeypatch.delenv("SEND_ANALYSIS_SITE", raising=False)
    monkeypatch.delenv("SEND_ANALYSIS_POPULATION", raising=False)
    assert publishers.addresses()[:3] == (publishers.API, publishers.SITE, publishers.POPULATION)
    monkeypatch.setenv("SEND_ANALYSIS_API", "http://localhost/a/")
    assert publishers.addresses(site="http://localhost/b")[:2] == (
        "http://localhost/a", "http://localhost/b",
    )  # fmt: skip


def test_a_release_in_the_api_is_put_together_from_its_data_sets(fetch, site, tmp_path):
    sets = data_sets()
    site.offer(2026, {"Another data set": "a,b\n"} | sets)
    record = fetch()
    path = tmp_path / ENTRY["path"]
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == len(sets) == 9
        assert archive.read("data/caseload.csv").decode().startswith("geographic_level")
        assert layout.find_member("data/sen_need_newplans.csv", archive.namelist())
    # The newest version published with this release: 2.10, neither 2.9 nor the withdrawn 2.11.
    asked = [url for url, _ in site.asked if "/csv" in url]
    assert len(asked) == 9
    assert all(url.endswith("dataSetVersion=2.10") for url in asked)
    first = path.read_bytes()
    path.unlink()
    site.asked.clear()
    assert fetch()["sha256"] == record["sha256"]
    assert path.read_bytes() == first


@pytest.mark.parametrize("there", ["no publication", "another year", "one data set too few"])
def test_a_release_not_whole_in_the_api_comes_as_an_archive(fetch, site, tmp_path, there):
    content = made_up.archive({"data/x.csv": "a,b\n1,2\n"})
    site.publish(2026, content)
    if there == "another year":
        site.offer(2027, data_sets())
    elif there == "one data set too few":
        site.offer(2026, dict(list(data_sets().items())[1:]))
    fetch()
    assert (tmp_path / ENTRY["path"]).read_bytes() == content
    assert site.count("/site/releases/version-2026/files") == 1


def test_whatever_the_api_answers_the_archive_is_fetched(fetch, site, tmp_path):
    content = made_up.archive({"data/x.csv": "a,b\n1,2\n"})
    site.publish(2026, content)
    html = (b"<!DOCTYPE html><html></html>", "text/html")
    faults = [problem(401, "x"), problem(403, "x"), problem(404, "x"), problem(503, "x"), html,
              slow(b"{}", "application/json", 0.6), as_json({"results": [1], "paging": {}}),
              as_json({"results": None}), cut_short(b"{}", "application/json", 1)]  # fmt: skip
    for count, fault in enumerate(faults, start=1):
        site.faults["/api/publications"] = [fault] * 2
        fetch()
        assert (tmp_path / ENTRY["path"]).read_bytes() == content
        assert site.count("/site/releases/version-2026/files") == count


def test_data_sets_that_the_api_lists_and_does_not_give_come_as_an_archive(fetch, site, tmp_path):
    content = made_up.archive({"data/x.csv": "a,b\n1,2\n"})
    site.offer(2026, data_sets())
    site.publish(2026, content)
    site.faults["/api/data-sets/d4/csv"] = [problem(503, "x")] * 2
    fetch()
    assert (tmp_path / ENTRY["path"]).read_bytes() == content


def test_one_file_is_taken_out_of_an_archive_where_only_that_is_kept(fetch, site, tmp_path):
    text = made_up.release_2023()
    site.publish(2023, made_up.archive({"data/sen2_mi.csv": text, "data/other.csv": "a,b\n"}))
    fetch(layout.release("ehc_plans_2023"))
    assert (tmp_path / "ehc_plans/sen2_mi_2023_release.csv").read_text("utf-8-sig") == text


def test_a_file_of_another_publisher_has_its_address_in_the_entry(fetch, site, tmp_path):
    site.pages["/lookup.csv"] = (b"old,new\n1,2\n", "text/csv")
    entry = {"path": "lookups/l.csv", "url": "", "download": f"{site.address}/lookup.csv"}
    fetch(entry)
    assert (tmp_path / "lookups/l.csv").read_bytes() == b"old,new\n1,2\n"
    with pytest.raises(SourceError, match=r"no address for it; fetch it by hand from the page"):
        fetch({"path": "lookups/m.csv", "url": "the page"})


def test_an_answer_that_is_not_as_documented_is_said(fetch, site):
    site.pages["/api/publications"] = listing([{"identifier": "x", "slug": "x"}])
    summary = "/site/publications/education-health-and-care-plans/releases/2026/version-summary"
    site.pages[summary] = as_json({"uuid": "x"})
    with pytest.raises(SourceError, match=r"the answer has no 'id'.*docs/releases.md"):
        fetch()


def test_the_latest_release_is_asked_for(site):
    site.publish(2026, b"", latest=2027)
    with sources.connect() as client:
        found = publishers.latest(client, f"{site.address}/site", "education-health-and-care-plans")
    assert found == "2027"
