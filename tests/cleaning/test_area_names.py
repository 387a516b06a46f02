"""Codes and names that stand side by side: in every official file, and in made-up ones."""

import gzip
import io
import sqlite3
import zipfile
from collections import defaultdict

import pandas as pd
import pytest

from send_analysis import tables
from send_analysis.cleaning import area_names, finance
from send_analysis.errors import DataError

# Columns of codes and the column of names beside them, whatever a publisher calls them.
CODES = ["new_la_code", "old_la_code", "la_code", "ltla23cd", "code", "LA Number", "LANumber",
         "ltla20_code", "ltla21_code", "area_code", "AREA_CODE"]  # fmt: skip
NAMES = ["la_name", "LA_name", "name", "LA and Regions", "LA Name", "local_authority",
         "ltla20_name", "ltla21_name", "area_name", "AREA_NAME"]  # fmt: skip
TRIBUNALS = {
    ("892", "Northamptonshire"), ("891", "Nottingham"), ("928", "Nottinghamshire"),
    ("873", "Central Bedfordshire"), ("823", "Cambridgeshire"),
}  # fmt: skip
CUMBRIA = {("E10000006", "cumberland"), ("E10000006", "westmorland and furness")}
# What the publishers are known to print wrongly, by the end of the file's name.
KNOWN = {
    "send_tribunals_and_appeal_rate_2014-2024.csv": TRIBUNALS,
    "SEND Tribunals and appeal rate 2014-2024.csv": TRIBUNALS,
    "area_send_outcomes.csv": CUMBRIA,
}
# Files without a code and a name of an area side by side, and why.
WITHOUT = {
    "nhs_community/": "organisations of the NHS, not areas",
    "nhs_mental_health/": "organisations of the NHS, not areas",
    "lookups/Clinical_Commissioning": "organisations of the NHS, not areas",
    "lookups/Sub_ICB": "organisations of the NHS, not areas",
    "send_dashboard/autism": "organisations of the NHS, not areas",
    "send_dashboard/cyp_mental": "organisations of the NHS, not areas",
    "send_dashboard/la_to_sub_icb.csv": "names alone",
    "send_dashboard/high_needs_spend_per_head.csv.gz": "names alone",
    "send_dashboard/mainstream_pupils_by_sen.csv.gz": "names alone",
    "finance/dsg_deficit_derived.xlsx": "names alone",
    "tribunals/send_appeal_rate_table_2022.ods": "names alone",
    "ofsted/Area_SEND_inspection_data": "names alone",
    "lookups/la_region_lookup.xlsx": "names alone",
    "lait/lait_sen_dictionary.csv": "definitions of measures",
    "lait/lait_outcomes_dictionary.csv": "definitions of measures",
    "ofsted/bury_area_send_full_inspection_report.pdf": "a report",
    "data-guidance": "a text",
    "SOURCES.md": "a text",
}


def csv_pairs(content):
    """Every pair of a column of codes and a column of names, with England's and regions' left."""
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False,
                        encoding="utf-8-sig")  # fmt: skip
    pairs = [(code, name) for code in CODES for name in NAMES if {code, name} <= set(frame)]
    if "UTLA22CD" in frame:
        pairs = [("UTLA22CD", "UTLA22NM"), ("LTLA22CD", "LTLA22NM")]
    if "region_code" in frame and "region_name" in frame and "geographic_level" in frame:
        pairs += [("region_code", "region_name"), ("country_code", "country_name")]
    rows = frame
    if "LANumber" in frame:
        rows = frame[frame["geographic_level"] == "Local authority"]
    return [rows[[*pair]].set_axis(["code", "name"], axis=1) for pair in pairs]


def sheet_pairs(sheet, code, name):
    """A column of three-digit codes of a sheet, and the column of names."""
    text = sheet.fillna("").astype("str").apply(lambda column: column.str.strip())
    found = text[text[code].str.fullmatch(r"\d{3}(\.0)?")]
    return found[[code, name]].set_axis(["code", "name"], axis=1)


def workbook_pairs(path, content):
    """Pairs of a workbook, of each sheet that has any."""
    if path.name.startswith("dedicated-schools-grant"):
        file, name = finance._open_document(content, path.name), 1
        sheets = pd.read_excel(file, engine="calamine", sheet_name=None, header=None, dtype=str)
        return [sheet_pairs(sheet, 0, 1) for sheet in sheets.values() if sheet.shape[1] > 4]
    sheets = pd.read_excel(io.BytesIO(content), engine="calamine", sheet_name=None, header=None,
                           dtype=str)  # fmt: skip
    code, name = (2, 3) if path.name.startswith("Outturn") else (0, 1)
    return [sheet_pairs(sheet, code, name) for sheet in sheets.values()]


def tribunal_pairs(content):
    sheet = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, header=None)
    return [sheet_pairs(sheet, 1, 0)]


def geography_pairs(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        frame = pd.read_sql("SELECT * FROM gpkg_contents", connection)
        layer = next(name for name in frame["table_name"] if name.endswith("7 UTLA-2023"))
        frame = pd.read_sql(f'SELECT "cua-code", "cua-name" FROM "{layer}"', connection)
    pairs = frame.set_axis(["code", "name"], axis=1).dropna()
    return [pairs[pairs["code"].str.startswith("E")]]


def pairs_of(path):
    """Yield the name of every file with codes and names, and its pairs."""
    content = path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = {f"{path.name}!{name}": archive.read(name) for name in archive.namelist()}
    elif path.suffix == ".gz":
        members = {str(path): gzip.decompress(content)}
    else:
        members = {str(path): content}
    for name, inside in members.items():
        if any(part in name for part in WITHOUT):
            continue
        if "ribunal" in name:
            yield name, tribunal_pairs(inside)
        elif path.suffix in {".xlsx", ".ods"}:
            yield name, workbook_pairs(path, inside)
        elif path.suffix == ".gpkg":
            yield name, geography_pairs(path)
        else:
            yield name, csv_pairs(inside)


@pytest.fixture(scope="module")
def printed(official):
    return {
        name: pd.concat(found, ignore_index=True).drop_duplicates() if found else None
        for path in sorted(official.rglob("*"))
        if path.is_file()
        for name, found in pairs_of(path)
    }


@pytest.mark.official
def test_code_and_name_agree_in_every_file(printed):
    areas = tables.load("areas")
    checked = 0
    for name, pairs in printed.items():
        assert pairs is not None, f"{name}: no code beside a name; say why in WITHOUT"
        pairs = pairs[pairs["code"].str.len().gt(0) & ~pairs["code"].str.match("E07|W")]
        assert len(pairs) or "LTLA" in name, name
        wrong = area_names.disagreeing(pairs["code"], pairs["name"], areas)
        cells = wrong.replace({"name": r"[\d,]+$"}, "", regex=True)
        known = next((faults for end, faults in KNOWN.items() if name.endswith(end)), set())
        assert set(zip(cells["code"], cells["name"], strict=True)) == known, name
        checked += len(pairs)
    assert checked > 10_000


@pytest.mark.official
def test_a_district_has_one_name_in_every_file(printed):
    """Districts are in no code list here: the files that name them must agree among themselves."""
    names = defaultdict(set)
    for pairs in printed.values():
        districts = pairs[pairs["code"].str.startswith("E07")]
        for code, name in zip(districts["code"], districts["name"], strict=True):
            names[code].add(name)
    assert len(names) > 180
    assert {code: known for code, known in names.items() if len(known) > 1} == {}


def areas():
    return tables.load("areas")


def series(*values, name=None):
    return pd.Series(values, dtype="str", name=name)


def test_a_code_beside_another_authoritys_name_is_refused():
    with pytest.raises(DataError) as error:
        area_names.coded(
            series("351", "892", name="LA code"), series("Bury", "Northamptonshire"), areas(),
            file="f.csv",
        )  # fmt: skip
    said = str(error.value)
    assert said.startswith("f.csv, column 'LA code', row 3: '892' is the code of Nottingham, but")
    assert "'Northamptonshire'" in said
    assert "\n" not in said


def test_a_known_fault_is_reported_and_another_still_refused():
    known = {"Northamptonshire": "892"}
    code, name = series("892", "928"), series("Northamptonshire7", "Bury")
    faults = area_names.check(code[:1], name[:1], areas(), file="f", wrong_codes=known)
    assert faults[["code", "says"]].to_numpy().tolist() == [["892", "Nottingham"]]
    with pytest.raises(DataError, match="'928' is the code of Northamptonshire"):
        area_names.check(code, name, areas(), file="f", wrong_codes=known)
    # A listed name does not excuse another code.
    with pytest.raises(DataError, match="'891'"):
        area_names.check(series("891"), name[:1], areas(), file="f", wrong_codes=known)


@pytest.mark.parametrize(("code", "name"), [("351", "Burry"), ("999", "Bury")])
def test_what_no_area_is_called_is_refused(code, name):
    with pytest.raises(DataError, match="no area has the code"):
        area_names.coded(series(code), series(name), areas(), file="f")


@pytest.mark.parametrize(
    ("code", "name", "found"),
    [
        ("E08000020", "Gateshead", "E08000037"),  # the code before 2013
        ("E10000023", "North Yorkshire", "E06000065"),  # the county's, the area is the same
        ("835", "Dorset (Pre LG)", "E10000009"),
        ("838", "Dorset (New, LA code 838)", "E06000059"),
        ("801.0", "Bristol City of", "E06000023"),
        ("840", "County Durham", "E06000047"),
        ("", "England", "E92000001"),
        ("970", "England", "E92000001"),
        ("987", "London (Inner)", "E13000001"),
    ],
)
def test_codes_and_spellings_of_their_time(code, name, found):
    assert area_names.coded(series(code), series(name), areas(), file="f").tolist() == [found]


def test_a_name_means_the_authority_of_the_time():
    january = pd.Series([2019, 2020, 2021, 2021])
    name = series("Dorset", "Dorset", "Northamptonshire", "North Northamptonshire")
    found = area_names.of_their_time(name, january, areas(), file="f")
    assert found.tolist() == ["E10000009", "E06000059", "E10000021", ""]


def test_england_and_a_region_are_not_authorities():
    with pytest.raises(DataError, match="no area is called 'North West'"):
        area_names.of_their_time(series("North West"), 2024, areas(), file="f")
    level = ("region",)
    found = area_names.of_their_time(series("London"), 2024, areas(), file="f", levels=level)
    assert found.tolist() == ["E12000007"]
