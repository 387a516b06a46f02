"""Every reader of a file that a user writes against a table of spoils: one line that names it."""

import re
import shutil
from pathlib import Path

import pytest

from send_analysis import scenarios, tables
from send_analysis.capacity import balance, planned
from send_analysis.cleaning import pupil_level
from send_analysis.errors import SendAnalysisError
from send_analysis.evidence import claims
from send_analysis.forecasting import archive, outlook
from send_analysis.forecasting.cohorts import levers
from send_analysis.forecasting.transitions import files
from send_analysis.forecasting.transitions import scenarios as flow_scenarios

BURY = "E08000002"
STATES = 'setting,min-academic-year,max-academic-year,needs,setting->setting\nM,0,11,X,"M,S"\n'
STATES += 'S,0,14,X,"M,S"\n'


def _states(folder: Path) -> files.States:
    (folder / "valid.csv").write_text(STATES)
    return files.read_valid_states(folder / "valid.csv")


def _archive(file: Path):
    """Give an archived forecast the note that its content asks for."""
    import hashlib

    note = file.with_suffix(".json")
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "0"
    note.write_text(
        f'{{"made": "2025-07-01", "version": "1", "origin": 2025, "sha256": "{digest}", '
        '"tables": {}}',
    )
    return archive.read(file.parent)


PEOPLE = "\n".join(f"2020,{age},100" for age in range(-4, 21))
# By reader: how a file is read, a whole one, a number in it (text, column, row), whether that
# counts, and its other cells that may hold anything (none).
LISTS = {
    "transitions": (
        lambda file: files.read_transitions(file, _states(file.parent)),
        "calendar-year,setting-1,need-1,academic-year-1,setting-2,need-2,academic-year-2\n"
        "2020,M,X,5,M,X,6\n2021,M,X,6,S,X,7\n",
        ("2020,", "calendar-year", 2),
    ),
    "valid states": (
        files.read_valid_states, STATES.replace("M,0,11", "M,1,11"),
        (",1,", "min-academic-year", 2),
    ),
    "population": (
        files.read_population, f"calendar-year,academic-year,population\n{PEOPLE}\n",
        (",100", "population", 2),
    ),
    "costs": (
        lambda file: files.read_costs(file, _states(file.parent)),
        "need,setting,cost\nX,M,9000\nX,S,24000\n", (",9000", "cost", 2),
    ),
    "capacity": (
        planned.read_capacity,
        "kind,phase,year,places\nstate special school,primary,2026,300\n"
        "state special school,secondary,2026,400\n", ("2026,", "year", 2),
    ),
    "archive": (
        _archive,
        "area_code,origin,year,horizon,base,quantile,value\nE08000002,2025,2026,1,2804,0.5,3000\n"
        "E08000002,2025,2027,2,2804,0.5,3200\n", (",2804,", "base", 2),
    ),
    "people": (
        pupil_level.aggregate,
        "person_id,area_code,year,age,support,setting,need\n"
        "1,E08000002,2024,7,SEN support,,\n2,E08000002,2024,8,SEN support,,\n",
        (",7,", "age", 2),
    ),
}  # fmt: skip
SHAPES = {
    "short row": lambda t: t.rstrip().rsplit(",", 2)[0] + "\n",
    "extra cell": lambda t: t.rstrip() + ",9\n",
    "commas at the ends": lambda t: t.replace("\n", ",\n").replace(",\n", "\n", 1),
    "cut in a row": lambda t: t[: t.rindex(",")],
    "nothing": lambda t: "",
    "blank": lambda t: "\n\n",
    "heading alone": lambda t: t[: t.index("\n") + 1],
    "a column lacks": lambda t: re.sub(r"^[^,]*,", "", t, flags=re.MULTILINE),
    "a heading twice": lambda t: (
        "\n".join(f"{line},{line.split(',')[-2]}{at or ''}" for at, line in
                  enumerate(t.splitlines())) + "\n"
    ),
    "null": lambda t: t.replace(",", ",\x00", 1),
    "semicolons": lambda t: t.replace(",", ";"),
    "open quote": lambda t: t + '"x\n',
    "a row twice": lambda t: t + t.splitlines()[-1] + "\n",
}  # fmt: skip
HARMLESS = {
    ("a row twice", "transitions"),  # two children can do the same
    ("commas at the ends", "people"),  # read as they are meant
}


def refused(read, file: Path) -> str:
    with pytest.raises(SendAnalysisError) as caught:
        read(file)
    message = str(caught.value)
    assert "\n" not in message
    assert file.name in message
    assert len(message) < 500
    return message


@pytest.mark.parametrize("name", LISTS)
def test_a_list_with_a_fault_is_refused_in_one_line(tmp_path, name):
    read, text, (cell, column, row) = LISTS[name]
    file = tmp_path / "mine.csv"
    file.write_text(text)
    whole = read(file)
    if name not in {"valid states", "people"}:
        file.write_text("\ufeff" + text.replace("\n", "\r\n", 1) + "," * 2 + "\n\n", "utf-8")
        assert str(read(file)) == str(whole)
    for spoil, change in SHAPES.items():
        if (spoil, name) in HARMLESS:
            continue
        file.write_text(change(text), newline="")
        refused(read, file)
    for value in ("abc", "inf", "-inf", "NaN", "1e400", "1e15", "-70", "2804.5", "0x1A", "", "1;2"):
        if value == "2804.5" and column in {"population", "cost"}:
            continue
        file.write_text(text.replace(cell, re.sub(r"\d+", value, cell), 1))
        message = refused(read, file)
        assert f"column '{column}', row {row}: " in message, (value, message)
    file.write_bytes(text.replace("\n", "\n\xe9", 1).encode("latin-1"))
    refused(read, file)
    file.write_bytes(text.encode("utf-16"))
    refused(read, file)
    if name != "archive":
        file.unlink()
        refused(read, file)
        file.mkdir()
        assert re.search("folder|directory", refused(read, file))


def _with(monkeypatch, folder: Path, name: str) -> Path:
    """Stand a copy of a file of parameters where the tables look for it."""
    file = folder / "data" / name
    file.parent.mkdir(parents=True)
    shutil.copy(tables.parameters(name), file)
    monkeypatch.setattr(tables, "parameters", lambda asked: folder / "data" / asked)
    return file


SCENARIO = """name: t
plans: {semh-school: {opens: 2029-09, places: 60, fill: [0.5], included: true}}
levers:
  - {lever: moves, from: mainstream, to: not recorded, share: 0.5, from_year: 2026}
assumptions: {hours_a_week: 37}
"""
FLOW = """name: t
changes:
  - stop_joiners: {setting: S, from: 2024, to_year: 2026}
  - cap: {setting: M, at: 82, overflow: S, from: 2024}
  - change_rate: {rate: leave, multiply: 2, ages: [5], from: 2024}
"""
# By file: how it is read, and text of it beside what is wrong with it.
FORMS = {
    "published_forecasts.yml": (
        lambda file: outlook._others(),
        [("year: 2040", "year: '2040'"), ("year: 2040", "year: 2040.0"), ("year: 2040", "yr: 2040"),
         ("plans: 920000", "plans: -1"), ("plans: 920000", "plans: 920,000"),
         ("plans: 920000", "plans: .inf"), ("plans: 920000", "plans: 1e400"),
         ("plans: 920000", "plans: 9000000000"), ("plans: 920000", "plans:"),
         ("forecasts:", "forecast:"), ("year: 2040\n", "year: 2040\n    year: 2041\n")],
    ),
    "assumptions.yml": (
        lambda file: scenarios._listed.__wrapped__("capacity"),
        [("value: 37", "value: '37'"), ("value: 37", "value: 0"), ("value: 37", "value: .nan"),
         ("value: 37", "value: 1e400"), ("value: 37", "valu: 37"), ("value: 37", "value: [37]"),
         ("value: 37", "value: 37\n    value: 38"), ("unit: hours\n", "unit: moons\n"),
         ("high: 16", "high: 2"), ("capacity:", "capacities:")],
    ),
    "plans/bury.yml": (
        lambda file: planned.plans(BURY),
        [("area: Bury", "area: Narnia"), ("area: Bury", "area: Bolton"), ("area: Bury", "area: 9"),
         ("included: true", "included: 'yes'"), ("opens: 2024-01", "opens: 2024-13"),
         ("opens: 2024-01", "opens: 2024-01-01"), ("places: 80", "places: 1e9"),
         ("places: 80", "places: '80'"), ("fill: [0.375", "fill: [37.5"), ("fill: [", "fil: ["),
         ("phase: secondary", "phase: nursery"), ("    status: open\n", ""),
         ("changes:", "changes:\n  brookhaven: {}")],
    ),
    "bury.yml": (
        lambda file: claims.claims(BURY, file=file),
        [("area: Bury", "area: Bolton"), ("claimed: 60", "claimed: '60'"),
         ("claimed: 60", "claimed: .inf"), ("claimed: 60", "claimed: 60, claimed: 99"),
         ("start: 2019", "start: 2030"), ("start: 2019", "strat: 2019"), ("kind: growth", "kind:"),
         ("id: x", "id: A claim"), ("claims:", "claim:")],
    ),
    "scenario.yml": (
        balance.read_scenario,
        [("share: 0.5", "share: 50"), ("share: 0.5", "share: '0.5'"), ("from: main", "from: moon"),
         ("from_year: 2026", "from_year: 2026.0"), ("from_year: 2026", "from_year: 1e400"),
         ("hours_a_week: 37", "hours_a_week: 0"), ("hours_a_week: 37", "hours_a_week: .inf"),
         ("hours_a_week: 37", "hours: 37"), ("{hours", "{hours_a_week: 3, hours"),
         ("name: t", "nme: t"), ("name: t", "name: ''"), ("places: 60", "places: lots"),
         ("opens: 2029-09", "opens: soon"), ("levers:\n", "levers:\n  - 3\n"),
         ("plans: {", "plans: ["),
         ("name: t", "name: t\ncohorts: ''"),
         ("name: t", "name: t\nnote:")],
    ),
    "flow.yml": (
        flow_scenarios.read_scenario,
        [("from: 2024, to", "from: '2024', to"), ("from: 2024, to", "form: 2024, to"),
         ("at: 82", "at: 82.5"), ("at: 82", "at: -1"), ("at: 82", "at: 1e400"),
         ("multiply: 2", "multiply: .nan"), ("multiply: 2", "multiply: 1e9"),
         ("ages: [5]", "ages: ['5']"), ("ages: [5]", "ages: []"), ("rate: leave", "rate: love"),
         ("  - cap", "  - {}\n  - cap"), ("  - cap", "  - caps"), ("changes:", "change:"),
         ("setting: S,", "setting: S, setting: M,")],
    ),
    "demand.yml": (
        levers.read, [("title: t", "titel: t"), ("levers:", "lever:"), ("- {", "- {x: 1, "),
         ("year: 2026", "year: 2026.0"), ("lever: req", "lever: seq"), ("- {", "- 3\n  - {")],
    ),
}  # fmt: skip
CLAIMS = """area: Bury
sources: {a: A made-up source}
claims:
  - {id: x, statement: Made up, source: a, said: '2024-05', claimed: 60, unit: per cent,
     test: {kind: growth, area: England, start: 2019, end: 2024}}
"""
WRITTEN = {
    "bury.yml": CLAIMS,
    "scenario.yml": SCENARIO,
    "flow.yml": FLOW,
    "demand.yml": "title: t\nlevers:\n  - {lever: requests_stabilise, from_year: 2026}\n",
}
NOT_YAML = {
    "nothing": b"",
    "a list": b"- a\n",
    "text": b"Bury\n",
    "open": b"a: [1\n",
    "a tab": b"a:\n\t- 1\n",
    "latin": b"name: \xe9\n",
    "utf-16": "name: t\n".encode("utf-16"),
    "archive": b"PK\x03\x04" + bytes(60),
    "alias": b"a: *b\n",
    "object": b"!!python/object/apply:os.getcwd []\n",
    "bomb": b"a: &a [x]\nb: &b [*a, *a]\nname: *b\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_with_a_fault_is_refused_in_one_line(tmp_path, monkeypatch, name):
    read, faults = FORMS[name]
    if name in WRITTEN:
        file = tmp_path / name
        file.write_text(WRITTEN[name])
    else:
        file = _with(monkeypatch, tmp_path, name)
    text = file.read_text()
    read(file)
    for good, bad in faults:
        assert good in text
        file.write_text(text.replace(good, bad, 1))
        refused(read, file)
    for content in NOT_YAML.values():
        file.write_bytes(content)
        refused(read, file)
    file.unlink()
    if name != "plans/bury.yml":  # an area may have none
        refused(read, file)
        file.mkdir()
        assert "is a folder" in refused(read, file)


@pytest.mark.parametrize(
    "note", ["", "{", "[]", '{"made": 1}', '{"made": "July", "version": "1", "sha256": ""}', "\x00"]
)
def test_a_damaged_note_of_an_archived_forecast_is_refused(tmp_path, note):
    (tmp_path / "a.csv").write_text(LISTS["archive"][1])
    file = tmp_path / "a.json"
    file.write_text(note)
    assert "restore it" in refused(lambda _: archive.read(tmp_path), file)
    file.unlink()
    file.mkdir()
    refused(lambda _: archive.read(tmp_path), file)
