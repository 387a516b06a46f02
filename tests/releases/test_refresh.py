"""A new release comes in, or the tables stay as they were."""

import dataclasses
import hashlib
import json
import shutil

import made_up
import pandas as pd
import pytest
from local_site import PUBLICATION, Site, cut_short, problem, redirect, slow

from send_analysis import cli, quality, tables
from send_analysis.cleaning import layout
from send_analysis.cleaning.build import build, schemas
from send_analysis.errors import DataError, MissingFileError, ParameterError, SourceError
from send_analysis.releases import publishers, sources
from send_analysis.releases import refresh as refreshing

BURY = "E08000002"
ARCHIVE = "/site/releases/version-2026/files"


def content(folder):
    """Everything in a folder: name and SHA-256."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def at(site, *connection):
    """Addresses of the publishers on a site."""
    names = (f"{site.address}/{name}" for name in ("api", "site", "population"))
    return publishers.addresses(*names)._replace(connect=lambda: sources.connect(*connection))


def refreshed(out, *arguments, **options):
    """Refresh the tables in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEND_ANALYSIS_DATA", str(out))
        return refreshing.refresh(*arguments, **options)


def publish(site, *years):
    for year in years:
        if year == 2023:
            archive = made_up.archive({"data/sen2_mi.csv": made_up.release_2023()})
        else:
            archive = made_up.release_2022() if year == 2022 else made_up.release(year)
        site.publish(year, archive, latest=2026)


@pytest.fixture(scope="module")
def before(root, tmp_path_factory):
    """Tables made from the releases up to 2025, and one table of other origin."""
    folder = tmp_path_factory.mktemp("before")
    releases = made_up.write(tmp_path_factory.mktemp("releases"), 2022, 2023, 2025)
    build(releases, folder)
    shutil.copy2(root / "data" / "inspections.csv", folder)
    committed = json.loads((root / "data" / tables.DESCRIPTOR).read_text(encoding="utf-8"))
    descriptor = json.loads((folder / tables.DESCRIPTOR).read_text(encoding="utf-8"))
    descriptor["resources"] += [
        entry for entry in committed["resources"] if entry["name"] == "inspections"
    ]
    (folder / tables.DESCRIPTOR).write_text(json.dumps(descriptor), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def after(before, tmp_path_factory):
    """What the refresh to 2026 made: its report, the tables, the folder of releases, the site."""
    out, folder = tmp_path_factory.mktemp("after"), tmp_path_factory.mktemp("cache")
    shutil.copytree(before, out, dirs_exist_ok=True)
    site = Site()
    publish(site, 2022, 2023, 2025, 2026)
    done = refreshed(out, folder=folder, at=at(site))
    yield done, out, folder, site
    site.close()


def table(out, name):
    return pd.read_csv(out / f"{name}.csv", keep_default_na=False, dtype={"age": str})


def test_the_new_january_is_in_the_tables(after):
    done, out, *_ = after
    assert done.release == "ehc_plans_2026"
    plans = table(out, "ehc_plans").query("area_code == @BURY and age_band == 'all'")
    plans = plans.set_index("year")
    assert list(plans.index) == list(range(2017, 2027))
    assert int(plans.loc[2026, "plans"]) == made_up.figure(10, 2026, 0)
    assert dict(plans["release"].value_counts()) == {"ehc_plans_2026": 8, "ehc_plans_2022": 2}


def test_each_year_comes_from_the_newest_release_that_has_it(after):
    _, out, *_ = after
    ages = table(out, "ehc_plans").query("area_code == @BURY and age_band == '11-15'")
    releases = ages.set_index("year")["release"]
    assert releases[[2024, 2025, 2026]].tolist() == ["ehc_plans_2025", *["ehc_plans_2026"] * 2]
    reviews = table(out, "annual_reviews").query("area_code == @BURY")
    meetings = reviews[reviews["measure"] == "review meeting held in any year"]
    assert list(meetings["year"]) == [2024]
    expected = reviews[reviews["measure"] == "review expected"].set_index("year")["plans"]
    assert expected.astype(int).to_dict() == {
        2024: made_up.figure(10, 2024, 1), 2025: made_up.figure(10, 2025, 1),
    }  # fmt: skip


def test_split_and_renamed_columns_are_found_again(after):
    _, out, *_ = after
    for name, year in (("placements", 2026), ("new_plans_by_placement", 2025)):
        rows = table(out, name).query("area_code == @BURY and year == @year")
        rows = rows.set_index(["placement_group", "placement"])["plans"].astype(int)
        columns = made_up.FILES_2025["caseload"][2]
        for column, place in (
            ("special_academy_free", ("special", "academy or free school")),
            ("await_prov_2022", ("awaiting provision", "all")),
            ("fe_total", ("further education", "all")),
        ):
            assert rows[place] == made_up.figure(10, year, columns.index(column)), (name, column)
    times = table(out, "timeliness").query("area_code == @BURY and year == 2025")
    times = times.set_index(["exceptions", "issued_within"])["plans"].astype(int)
    assert times["included", "20 weeks to a year"] == made_up.figure(10, 2025, 5)


def test_what_a_release_no_longer_counts_or_counts_anew(after):
    _, out, *_ = after
    reasons = table(out, "ceased_plans").query("area_code == @BURY and year == 2025")["reason"]
    assert "not recorded" not in set(reasons)
    assert "other" in set(reasons)
    needs = table(out, "primary_need").query("area_code == @BURY and year == 2026")
    assert "Down syndrome" in set(needs["primary_need"])


def test_revisions_are_listed_old_beside_new(after):
    done, out, *_ = after
    rows = done.revisions
    total = rows[(rows["table"] == "ehc_plans") & (rows["item"] == "all")]
    assert set(total["year"]) == {2024}
    bury = total.set_index("area_code").loc[BURY]
    assert (bury["old"], bury["new"]) == (
        made_up.figure(10, 2024, 0), made_up.figure(10, 2024, 0) + 1,
    )  # fmt: skip
    gone = rows[(rows["table"] == "ceased_plans") & (rows["item"] == "not recorded")]
    assert gone["new"].isna().all()
    assert len(gone) == 4 * 6  # areas; 2019 to 2024
    assert not (rows["year"] > 2025).any()
    assert (out / "revisions" / "ehc_plans_2026.csv").read_text().count("\n") == len(rows) + 1
    faults = table(out, "quality").query("check == 'differs from the release before'")
    assert {"ehc_plans", "new_plans", "requests", "timeliness"} <= set(faults["table"])
    assert set(faults["year"]) == {2024}


def test_tables_of_other_origin_stay(after, root):
    done, out, *_ = after
    assert "inspections" not in done.written
    assert (out / "inspections.csv").read_bytes() == (
        root / "data" / "inspections.csv"
    ).read_bytes()


def test_the_tables_are_as_their_descriptor_says(after, monkeypatch):
    _, out, *_ = after
    monkeypatch.setenv("SEND_ANALYSIS_DATA", str(out))
    tables.clear_cache()
    assert tables.verify().empty
    assert "inspections" in tables.catalogue().index
    assert [source["name"] for source in tables.resource("ehc_plans")["sources"]] == [
        "ehc_plans_2022", "ehc_plans_2025", "ehc_plans_2026",
    ]  # fmt: skip
    tables.clear_cache()


def test_what_was_fetched_is_kept_and_recorded(after):
    done, _, folder, site = after
    assert site.count(ARCHIVE) == 1
    ledger = json.loads((folder / ".fetched" / "fetched.json").read_text())
    path = layout.release("ehc_plans_2026")["path"]
    digest = hashlib.sha256(made_up.release(2026)).hexdigest()
    assert ledger[path]["sha256"] == digest
    assert ledger[path]["parts"][0]["url"] == site.address + ARCHIVE
    assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == digest
    files = done.files.set_index("path")
    assert not files.loc[path, "pinned"]
    old = files.drop(index=path)
    assert len(old) == 3
    assert old["pinned"].all()
    assert (files["changed"] == "").all()
    assert len(done.unread) == 0
    assert set(done.lacking) == {"population_latest"}
    assert "data refresh --population FILE" in done.lacking["population_latest"]


@pytest.fixture
def attempt(before, tmp_path):
    """Refresh a copy of the tables against a site; returns a function and the site."""
    out, folder = tmp_path / "out", made_up.write(tmp_path / "releases", 2022, 2023, 2025)
    shutil.copytree(before, out)
    site = Site()
    publish(site, 2026)

    def call(*arguments, **options):
        there = at(site, 0.2, lambda seconds: None)
        return refreshed(out, *arguments, folder=folder, at=there, **options)

    yield call, out, site
    site.close()


RELEASE = made_up.release(2026)
HTML = (b"<!DOCTYPE html><html></html>", "text/html")


@pytest.mark.parametrize(
    ("faults", "error", "says"),
    [
        ([problem(404, "Not Found")], SourceError, "not found"),
        ([problem(429, "Too Many", {"Retry-After": "900"})], SourceError, "asks to wait 900"),
        ([problem(500, "Error")] * 5, SourceError, "5 attempts failed"),
        ([cut_short(RELEASE, "application/zip", 900, tag=False)] * 5, SourceError, "5 attempts"),
        ([slow(RELEASE, "application/zip", 0.3)] * 5, SourceError, "5 attempts failed"),
        ([HTML], SourceError, "a web page"),
        ([(RELEASE[:-100], "application/zip")], SourceError, "not a whole archive"),
        ([redirect("http://127.0.0.1:9/x")] * 5, SourceError, "5 attempts failed"),
        ([(made_up.archive({"data/other.csv": "a,b\n"}), "application/zip")], DataError,
         "the archive holds no file of this release"),
    ],
    ids=["404", "429", "500", "cut short", "slow", "html", "half", "redirect", "other archive"],
)  # fmt: skip
def test_after_a_failure_the_tables_are_what_they_were(attempt, faults, error, says):
    call, out, site = attempt
    was = content(out)
    site.faults[ARCHIVE] = list(faults)
    with pytest.raises(error, match=says) as refused:
        call("2026")
    assert content(out) == was
    assert "https://explore-education-statistics" in str(refused.value)
    assert "data refresh --zip FILE" in str(refused.value)


def test_tables_of_an_unknown_layout_stay_and_the_others_go_on(attempt, after):
    call, out, site = attempt
    was = content(out)
    members = {name: frame.to_csv(index=False) for name, frame in made_up.files(2026).items()}
    for file, old, new in (
        ("data/caseload.csv", "ehcplans,", "ehc_plans_total,"),
        ("data/newplans.csv", "special_free_school", "special_free_schools"),
        ("data/requests.csv", "All requests for an EHC needs assessment", "All requests"),
        ("data/ceased_plans.csv", "age 11", "eleven"),
    ):
        assert old in members[file]
        members[file] = members[file].replace(old, new)
    del members["data/sen_needs_caseload.csv"]
    site.pages[ARCHIVE] = (made_up.archive(members), "application/zip")
    done = call("2026")
    now, right = content(out), content(after[1])
    for name, says in {
        "ehc_plans": "caseload.csv, column 'ehcplans': missing",
        "placements": "caseload.csv, column 'ehcplans': missing",
        "new_plans_by_age": "'special_academy_free': missing; nearest columns: special_academy",
        "requests": "no row has 'All requests for EHC needs assessments'; nearest",
        "ceased_plans_by_age": "'eleven' is not known here",
        "primary_need": "sen_needs_caseload.csv",
    }.items():
        assert says in done.kept[name]
        assert now[f"{name}.csv"] == was[f"{name}.csv"], name
    for name in ("assessments", "timeliness", "annual_reviews"):
        assert name in done.written
        assert now[f"{name}.csv"] == right[f"{name}.csv"] != was[f"{name}.csv"], name
    assert any("requests: as before, because" in line for line in refreshing.summary(done))


def test_a_faulty_release_is_refused_and_changes_nothing(attempt):
    call, out, site = attempt
    was = content(out)
    members = {name: frame.to_csv(index=False) for name, frame in made_up.files(2026).items()}
    members["data/ceased_plans.csv"] = members["data/ceased_plans.csv"].replace(",30", ",-30")
    site.pages[ARCHIVE] = (made_up.archive(members), "application/zip")
    with pytest.raises(DataError, match=r"ceased_plans.csv.*is below 0"):
        call("2026", ["ceased_plans"])
    assert content(out) == was


def test_an_archive_by_hand_needs_no_network_and_no_older_release(attempt, after, tmp_path):
    """With the new archive alone the tables are what they are with all releases at hand."""
    call, out, site = attempt
    site.close()
    shutil.rmtree(tmp_path / "releases")
    file = tmp_path / "download (1).zip"
    file.write_bytes(made_up.release(2026))
    done = call("latest", archive=file)
    assert done.release == "ehc_plans_2026"
    assert not done.lacking | done.kept
    now, right = content(out), content(after[1])
    for name in now:
        if name != tables.DESCRIPTOR:
            assert now[name] == right[name], name
    sources = {entry["name"]: [source["name"] for source in entry["sources"]]
               for entry in tables.read_descriptor(out)["resources"]}  # fmt: skip
    assert sources["new_plans"] == [
        "ehc_plans_2022", "ehc_plans_2023", "ehc_plans_2025", "ehc_plans_2026",
    ]  # fmt: skip
    assert site.asked == []
    call("latest", ["requests", "timeliness"], archive=file)
    assert content(out) == now  # the second time as well


def test_a_file_that_is_no_release_is_refused(attempt, tmp_path):
    call, out, _ = attempt
    was = content(out)
    for wrong, error, says in (
        (tmp_path / "no.zip", ParameterError, "there is no such file|cannot be read"),
        (tmp_path, ParameterError, "cannot be read"),
        (made_up.write(tmp_path, 2023) / layout.release("ehc_plans_2023")["path"], DataError,
         "not a whole archive .*download it again from https"),
        (made_up.write(tmp_path, 2022) / layout.release("ehc_plans_2022")["path"], DataError,
         "has no data/caseload.csv"),
    ):  # fmt: skip
        with pytest.raises(error, match=says):
            call("latest", archive=wrong)
    old = tmp_path / "releases" / layout.release("ehc_plans_2022")["path"]
    old.write_bytes(old.read_bytes()[:-100])  # torn is not absent
    (tmp_path / "new.zip").write_bytes(made_up.release(2026))
    with pytest.raises(DataError, match=r"plans_2022.zip.*damaged or cut short"):
        call("latest", archive=tmp_path / "new.zip")
    assert content(out) == was


def test_tables_made_from_a_newer_release_than_is_there_stay(after, tmp_path):
    """Older releases in the folder do not make older tables of newer ones."""
    out = tmp_path / "out"
    shutil.copytree(after[1], out)
    was = content(out)
    releases = made_up.write(tmp_path / "releases", 2022, 2023, 2025)
    with pytest.raises(MissingFileError, match=r"plans_2026.zip: .*newer than .*plans_2025.zip"):
        build(releases, out)
    with pytest.raises(MissingFileError, match=r"plans_2026.zip: .*newer than .*plans_2025.zip"):
        build(releases, out, only=["requests"])
    assert content(out) == was


def test_an_older_release_that_cannot_be_had_leaves_what_the_tables_have_of_it(
    attempt, after, tmp_path
):
    call, out, _ = attempt
    (tmp_path / "releases" / layout.release("ehc_plans_2025")["path"]).unlink()
    done = call("2026", ["annual_reviews"])
    assert "2025/version-summary: not found (404)" in done.lacking["ehc_plans_2025"]
    assert content(out)["annual_reviews.csv"] == content(after[1])["annual_reviews.csv"]
    assert any("reporting year 2025: not to be had" in line for line in refreshing.summary(done))


def test_an_archive_packed_anew_is_the_release_made_before(after, tmp_path):
    done, out, *_ = after
    members = made_up.files(2026)
    file = tmp_path / "release.zip"
    file.write_bytes(made_up.archive({"data/new.csv": "a,b\n"} | members))
    again = refreshing._compared({"ehc_plans_2026": file}, out)
    assert (again["pinned"].tolist(), again["changed"].tolist()) == ([True], [""])
    members["data/requests.csv"]["requests_withdrawn"] += 1
    file.write_bytes(made_up.archive(members))
    changed = refreshing._compared({"ehc_plans_2026": file}, out)
    assert changed["changed"].tolist() == ["data/requests.csv"]
    lines = refreshing.summary(dataclasses.replace(done, files=changed))
    assert any("changed: data/requests.csv" in line for line in lines)


def test_an_unknown_column_is_reported_and_one_table_can_be_asked_for(attempt):
    call, out, site = attempt
    was = content(out)
    members = made_up.files(2026)
    members["data/requests.csv"]["requests_by_parents"] = 1
    members["data/requests.csv"]["requests_new_pc"] = 1
    site.pages[ARCHIVE] = (made_up.archive(members), "application/zip")
    site.faults[ARCHIVE] = [problem(500, "Error"), problem(500, "Error")]
    done = call("2026", ["requests"])
    assert done.unread["column"].tolist() == ["requests_by_parents"]
    assert any("'requests_by_parents' is not known" in line for line in refreshing.summary(done))
    assert set(done.written) == {
        "areas", "area_codes", "requests", "quality", "series_breaks",
    }  # fmt: skip
    now = content(out)
    changed = {name for name in now if now[name] != was.get(name)}
    assert changed == {"areas.csv", "requests.csv", "quality.csv", "datapackage.json",
                       "revisions/ehc_plans_2026.csv"}  # fmt: skip
    faults = table(out, "quality")
    assert "ceased_plans" in set(faults["table"])
    assert set(faults.loc[faults["table"] == "ceased_plans", "check"]) == {
        "reasons against the total"
    }
    counts = refreshing.by_table(done.revisions)
    assert counts["table"].tolist() == ["requests"]
    assert counts["areas"].tolist() == [4]
    row = counts.iloc[0]
    assert (row["revised"], row["withdrawn"]) == (len(done.revisions), 0)
    assert row["new"] - row["old"] == 1


def test_a_year_without_an_entry_and_a_table_without_releases(attempt):
    call, out, site = attempt
    was = content(out)
    publish(site, 2026)
    site.publish(2026, b"", latest=2031)
    with pytest.raises(ParameterError, match=r"reporting year '2031'.*docs/releases.md"):
        call("latest")
    site.faults[f"/site/publications/{PUBLICATION}"] = [problem(404, "Not Found")]
    with pytest.raises(SourceError, match=r"not found.*data refresh --zip FILE"):
        call("latest")
    site.publish(2026, made_up.release(2026))
    with pytest.raises(MissingFileError, match=r"area_send_outcomes.csv: no such file"):
        call("2026", ["inspections"])
    assert content(out) == was


def test_revisions_of_one_table():
    key = ["area_code", "year", "kind"]
    old = pd.DataFrame([("E1", 2020, "a", 1), ("E1", 2020, "b", 2), ("E1", 2021, "a", None)],
                       columns=[*key, "n"])  # fmt: skip
    new = pd.DataFrame([("E1", 2020, "a", 1), ("E1", 2020, "b", 5), ("E1", 2021, "a", 7),
                        ("E1", 2022, "a", 9)], columns=[*key, "n"])  # fmt: skip
    types = {"n": "Float64"}
    got = quality.revised(old.astype(types), new.astype(types), table="t", key=key, value="n")
    assert got["item"].tolist() == ["b", "a"]
    assert got["year"].tolist() == [2020, 2021]
    assert got["old"].tolist() == [2, pd.NA]
    assert got["new"].tolist() == [5, 7]


def test_the_command_prints_what_was_revised(after, monkeypatch, capsys):
    done, *_ = after
    asked = []
    monkeypatch.setattr(
        refreshing, "refresh", lambda *args, **options: asked.append((args, options)) or done
    )
    monkeypatch.setattr("sys.argv", ["send-analysis", "data", "refresh", "requests", "--release",
                                     "2026", "--from", "there", "--format", "csv"])  # fmt: skip
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    options = {"folder": refreshing.Path("there"), "archive": None, "estimates": None}
    assert asked == [(("2026", ["requests"]), options)]
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "table,area_code,year,item,old,new"
    assert out.count("\n") == len(done.revisions) + 1
    assert f"ehc_plans_2026: {len(done.written)} tables written" in err
    gone = done.revisions["new"].isna() & done.revisions["old"].notna()
    assert f"{gone.sum():,} withdrawn" in err
    assert "all in revisions/ehc_plans_2026.csv" in err


def test_tables_that_nobody_can_fetch_say_how_they_are_renewed():
    nhs = {name for name in schemas()["tables"] if name.startswith(("nhs_w", "mental", "autism"))}
    lines = refreshing.by_hand()
    assert {line.split(":")[0] for line in lines} == nhs
    assert all("https://" in line and "\n" not in line for line in lines)
    assert refreshing.by_hand(["requests"]) == []
    assert "nhs_waits.yml" in refreshing.by_hand(["nhs_waits"])[0]
