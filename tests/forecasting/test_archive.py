"""Archived forecasts: written once, never touched, scored against what was published later."""

import json
import sys
from datetime import date

import pytest

from send_analysis import __version__, cli, tables
from send_analysis.errors import DataError, MissingDataError, SendAnalysisError
from send_analysis.forecasting import archive, totals

BURY, BOLTON, ENGLAND = "E08000002", "E08000001", "E92000001"
LEVELS = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An archive that was made when January 2024 was the latest: two authorities and England."""
    out = tmp_path_factory.mktemp("archive")
    real = totals.forecast
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            totals, "forecast",
            lambda horizon: real([BURY, BOLTON, ENGLAND], horizon=horizon, as_of=2024),
        )  # fmt: skip
        archive.write(out, horizon=3, day=date(2024, 7, 1))
    return out


@pytest.fixture
def copy(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_the_forecast_is_written_with_its_date_version_and_tables(folder):
    names = sorted(file.name for file in folder.iterdir())
    stem = f"january-2024_version-{__version__}"
    assert names == [f"{stem}.csv", f"{stem}.json"]
    note = json.loads((folder / f"{stem}.json").read_text())
    assert (note["made"], note["version"], note["origin"]) == ("2024-07-01", __version__, 2024)
    assert note["tables"]["ehc_plans"] == tables.resource("ehc_plans")["hash"]
    rows = archive.read(folder)
    assert len(rows) == 3 * 3 * len(LEVELS)
    base = rows.groupby("area_code")["base"].unique()
    assert base[BURY].tolist() == [2686]  # caseload.csv, January 2024
    assert base[ENGLAND].tolist() == [576_474]
    one = totals.forecast(BURY, horizon=1, as_of=2024)
    one = one[(one["category"] == "all") & (one["quantile"] == 0.5)]["value"].iloc[0]
    kept = rows.query("area_code == @BURY and horizon == 1 and quantile == 0.5")["value"].iloc[0]
    assert kept == pytest.approx(one, abs=0.0005)


def test_an_archive_is_not_overwritten(copy, monkeypatch):
    real = totals.forecast
    monkeypatch.setattr(totals, "forecast", lambda horizon: real(BURY, horizon=horizon, as_of=2024))
    was = {file.name: file.read_bytes() for file in copy.iterdir()}
    with pytest.raises(SendAnalysisError, match="archived before and stays as it is"):
        archive.write(copy, day=date(2025, 7, 1))
    assert {file.name: file.read_bytes() for file in copy.iterdir()} == was
    monkeypatch.setattr(archive, "__version__", "9.9")
    archive.write(copy, day=date(2024, 8, 1))
    assert set(archive.read(copy)["version"]) == {__version__, "9.9"}


def test_a_touched_archive_is_refused(copy):
    file = next(copy.glob("*.csv"))
    file.write_text(file.read_text().replace(",2686,", ",2687,"))
    with pytest.raises(DataError, match="changed since it was archived on 2024-07-01"):
        archive.scores(2025, copy)
    next(copy.glob("*.json")).unlink()
    with pytest.raises(DataError, match="json is missing"):
        archive.read(copy)


def test_scores_are_those_of_the_published_january(folder):
    scored = archive.scores(2025, folder).set_index("area_code")
    # Read off caseload.csv: January 2025.
    assert scored["observed"].to_dict() == {BURY: 2804, BOLTON: 3604, ENGLAND: 638_745}
    assert (scored["horizon"] == 1).all()
    for code in (BURY, BOLTON, ENGLAND):
        row = scored.loc[code]
        seen = row["observed"]
        # Second formula: twice the mean quantile loss (Bracher et al. 2021, section 2.2).
        loss = sum(
            (level if seen >= row[level] else level - 1) * (seen - row[level]) for level in LEVELS
        )
        assert row["wis"] == pytest.approx(2 * loss / len(LEVELS))
        assert row["error"] == pytest.approx(100 * (row[0.5] / seen - 1))
        assert row["within_80"] == 100 * (row[0.1] <= seen <= row[0.9])


def test_the_summary_is_of_the_authorities_and_of_england(folder):
    scored = archive.scores(2025, folder).set_index("area_code")
    row = archive.summary(archive.scores(2025, folder)).iloc[0]
    assert row["authorities"] == 2
    errors = [abs(scored.loc[code, "error"]) for code in (BURY, BOLTON)]
    assert row["mape"] == pytest.approx(sum(errors) / 2)
    assert row["england"] == 638_745
    assert row["england_error"] == pytest.approx(scored.loc[ENGLAND, "error"])


def test_a_january_that_is_not_there_or_was_not_forecast(folder, tmp_path):
    with pytest.raises(MissingDataError, match="data refresh --release 2099"):
        archive.scores(2099, folder)
    with pytest.raises(MissingDataError, match="No forecast for January 2020"):
        archive.scores(2020, folder)
    with pytest.raises(MissingDataError, match="No forecast for January 2025"):
        archive.scores(2025, tmp_path)


def test_the_committed_archive_is_whole():
    rows = archive.read()
    assert {2025} <= set(rows["origin"])
    latest = rows[rows["origin"] == 2025]
    authorities = tables.load("areas").query("level == 'local authority' and last_year == 2025")
    assert set(latest["area_code"]) == {*authorities["area_code"], ENGLAND}
    wide = latest.pivot(index=["version", "area_code", "year"], columns="quantile", values="value")
    assert wide.columns.tolist() == LEVELS
    assert (wide.diff(axis=1).iloc[:, 1:] >= 0).all().all()


def test_the_command_scores_or_says_what_is_missing(folder, monkeypatch, capsys):
    monkeypatch.setattr(archive, "_folder", lambda given: folder)
    monkeypatch.setattr(sys, "argv", ["send-analysis", "backtest", "--release", "2025",
                                      "--format", "csv"])  # fmt: skip
    with pytest.raises(SystemExit):
        cli.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("made,version,origin,horizon,area_code,area,base,observed,0.025")
    monkeypatch.setattr(sys, "argv", ["send-analysis", "backtest", "--release", "2099"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "have no January 2099" in capsys.readouterr().err
