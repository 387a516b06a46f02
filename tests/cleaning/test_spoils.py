"""Every reader of a release against a table of spoils: one line that names the file, or as whole.

Each reader gets a file of two or three made-up rows. A spoil changes its text, or the file.
"""

import gzip
import io
import re
import zipfile
from dataclasses import dataclass
from typing import Any

import pytest

from send_analysis import tables
from send_analysis.cleaning import (
    finance,
    geography,
    inspections,
    lait,
    nhs_children,
    nhs_mental_health,
    nhs_organisations,
    nhs_sheets,
    nhs_waits,
    places,
    population,
    reading,
    tribunals,
)
from send_analysis.errors import SendAnalysisError

LAIT = "lait/lait_sen.csv.gz"
EHC = reading.release("ehc_plans_2025")["path"]
BOARDS, LINKS, DISTRICTS, NEIGHBOURS, SPENDING, DEFICITS, GRANT = (
    reading.release(name)["path"]
    for name in (
        "nhs_boards_2022", "nhs_area_links_2024", "districts_2022", "neighbours_2025",
        finance.BENCHMARKING, finance.DEFICITS, finance.GRANT.format(2023),
    )
)  # fmt: skip
MINDS = reading.release(nhs_mental_health.RELEASE.format(2021))["path"]
WAITS = next(
    entry["path"]
    for name, entry in reading.layout.specification()["releases"].items()
    if name.startswith("nhs_waits_")
)


@pytest.fixture(scope="module")
def areas():
    return tables.load("areas")


def _requests() -> str:
    spec = reading.release("ehc_plans_2025")["files"]["requests"]
    columns = ["time_period", *reading.PLACE_COLUMNS, *spec["key"], *spec["values"]]
    rows = [
        [year, "Local authority", "E92000001", "E12000002", "E08000002", "351"]
        + ["All requests"] * len(spec["key"])
        + [str(10 + at) for at in range(len(spec["values"]))]
        for year in ("2023", "2024")
    ]
    return "\n".join(map(",".join, [columns, *rows])) + "\n"


def _ages(bury: str) -> str:
    counts = ",".join(["1"] * 26)
    return (
        f"code,{','.join(population.AGES)},all\nE08000001,{counts},99\nE08000002,{bury}"
        f"{',1' * 25},99\n"
    )


@dataclass
class Reader:
    """A reader, its file (text of a CSV), and a number in it: the cell, its column, its row."""

    path: str
    text: str
    read: Any
    cell: str = ""
    column: str = ""
    row: int = 0
    member: str = ""
    beside: tuple[str, str] = ("", "")  # another file that it reads, and its text
    count: bool = True  # the number counts something: no fraction
    whole: bool = True  # the made-up file is read as it is


TOOL = "Short Desc,Years,LA and Regions,Values,LA Number\n"
CONTACTS, FIRST, MONEY, SEEN, ENGLAND_SEEN = (
    reading.release(name)["path"]
    for name in (*nhs_children.RELEASES.values(), nhs_children.ENGLAND_AUTISM)
)
PERIOD = "REPORTING_PERIOD_START,REPORTING_PERIOD_END,"
NAMED = (LINKS, "nhs_code,nhs_name\n00V,NHS Bury CCG\n")
BURY = {"E08000001": "E08000001", "E08000002": "E08000002"}
TRIBUNALS = (
    "Made up,,,,\nLocal Authority,LA code,2024,,\n"
    ",,Appeals registered1,Total Appealable Decisions,In development: Total Appealable Decisions\n"
    "Bury,351,5,100,50\nBolton,350,-,200,90\n"
)
READERS = {
    "plans": Reader(
        EHC, _requests(), lambda root, areas: reading.tidy(root, "ehc_plans_2025", "requests"),
        ",10,", "requests_received_in_year", 2,
        member=reading.release("ehc_plans_2025")["files"]["requests"]["member"],
    ),
    "tribunals": Reader(
        EHC, TRIBUNALS, lambda root, areas: tribunals.build(root, areas), ",100,",
        "Total Appealable Decisions, 2024", 4,
        member="supporting-files/SEND Tribunals and appeal rate 2014-2024.csv",
    ),
    "tool": Reader(
        LAIT, f"{TOOL}SEN_TotStat,2024,Bury,4.5,351.0\nSEN_TotSENSuP,2024,Bury,14.5,351.0\n",
        lambda root, areas: lait.build(root, areas), ",4.5,", "Values", 2, count=False,
    ),
    "witnesses": Reader(
        LAIT, f"{TOOL}SEN_CASES_JAN,2024,Bury,2686,351.0\nSEN_CASES_JAN,2025,Bury,2804,351.0\n",
        lambda root, areas: lait.tool(root, areas), ",2686,", "Values", 2, count=False,
    ),
    "inspections": Reader(
        reading.release("inspections_2025")["path"],
        "la_code,ltla23cd,local_authority,outcome_grade,inspection_start_date,inspection_end_date,"
        "publication_date\n351,E08000002,bury,3.0,18/11/24,22/11/24,04/02/25\n"
        "350,E08000001,bolton,1.0,18/11/24,22/11/24,04/02/25\n",
        lambda root, areas: inspections.build(root, areas), ",3.0,", "outcome_grade", 2,
    ),
    "funded places": Reader(
        reading.release("high_needs_places")["path"],
        "financial_year,old_la_code,la_name,institution_type,place_type,period,places\n"
        "2020-21,351,Bury,Special academies,Pre-16 SEN places,April 2020 to August 2020,189\n"
        "2020-21,350,Bolton,Special academies,Pre-16 SEN places,April 2020 to August 2020,8\n",
        lambda root, areas: places._funded(root, areas), ",189", "places", 2, count=False,
    ),
    "scorecards": Reader(
        reading.release("school_places_2025")["path"],
        "Year,geographic_level,LANumber,new_la_code,LA_name,PriNOR,SecNOR,PriCap,SecCap\n"
        "2024/25,Local authority,351,E08000002,Bury,15331,11337,18011,12468\n"
        "2024/25,Local authority,350,E08000001,Bolton,1,2,3,4\n",
        lambda root, areas: places._mainstream(root, areas), ",15331,", "PriNOR", 2,
    ),
    "population": Reader(
        reading.release("population_2024")["path"], _ages("7"),
        lambda root, areas: population._estimates(root, "population_2024", BURY),
        "E08000002,7,", "0", 3, whole=False,
    ),
    "revised population": Reader(
        reading.release(population.REVISED)["path"],
        "code,year,age,people\nE08000002,2023,0-17,43000\nE08000002,2024,0-17,43100\n",
        lambda root, areas: population._revised(root, population.pd.Index(["E08000002"]), 2024),
        ",43000", "people", 2, whole=False,
    ),
    "districts": Reader(
        DISTRICTS, "LTLA22CD,LTLA22NM,UTLA22CD,UTLA22NM\nE07000026,Allerdale,E10000006,Cumbria\n"
        "E08000002,Bury,E08000002,Bury\n",
        lambda root, areas: population._authorities(root, areas),
    ),
    "boards": Reader(
        BOARDS, "SICBL22CDH,SICBL22CD,ICB22CDH,ICB22NM\n00V,E1,QOP,NHS Greater Manchester\n"
        "00T,E2,QOP,NHS B\n",
        lambda root, areas: nhs_organisations.nhs_area_links(root, areas), whole=False,
        beside=(LINKS, "la_name,icb_name,nhs_code,nhs_name\nBury,x,00V,NHS Bury\n"),
    ),
    "contacts": Reader(
        CONTACTS, f"{PERIOD}STATUS,BREAKDOWN,PRIMARY_LEVEL,PRIMARY_LEVEL_DESCRIPTION,MEASURE_ID,"
        "MEASURE_VALUE,nhs_name\n01/09/2022,31/08/2023,Final,England,England,England,MHS95,9001,E\n"
        "01/09/2022,31/08/2023,Final,Sub ICB of Residence,00V,NHS BURY,MHS95,3240,B\n",
        lambda root, areas: nhs_children._contacts(root), ",9001,", "MEASURE_VALUE", 2,
        beside=NAMED,
    ),
    "first contacts": Reader(
        FIRST, "period_end,level,org_code,org_name,measure_id,value\n" + "".join(
            f"2024-09-30,{level},{code},{code},{measure},{value}\n"
            for level, code in (("England", "England"), ("Provider", "RT2"),
                                ("ICB of GP Practice or Residence", "QOP"))
            for measure, value in {
                **dict.fromkeys(nhs_children.FIRST_MEASURES.keys(), 7), "MRS10": 80, "MRS10b": 20
            }.items()
        ),
        lambda root, areas: nhs_children.first_contacts(root, areas), ",80", "value", 2,
        count=False,
    ),
    "mental health spending": Reader(
        MONEY, "indicator,title,org_type,org_code,org_name,period,value\n" + "".join(
            f"{part},t,{level},{code},{code},2021/22,45.5\n"
            for part in nhs_children.PARTS
            for level, code in (("National", "EN"), ("Region", "Y"), ("STP", "E"), ("CCG", "00V"))
        ),
        lambda root, areas: nhs_children._spending(nhs_children._read(root, nhs_children.SPENDING,
                                                                      {"period", "value"})),
        ",45.5", "value", 2, count=False,
    ),
    "autism": Reader(
        SEEN, f"{PERIOD}BREAKDOWN,PRIMARY_LEVEL,PRIMARY_LEVEL_DESCRIPTION,SECONDARY_LEVEL,METRIC,"
        "METRIC_VALUE,source\n2023-06-01,2023-06-30,Age Group,10 to 17,People,NONE,ASD19e,44.0,a\n"
        "2023-06-01,2023-06-30,Age Group,Under 10,People,NONE,ASD19e,51.0,a\n",
        lambda root, areas: nhs_children._seen_late(root), ",44.0,", "METRIC_VALUE", 2,
        beside=NAMED, count=False,
    ),
    "autism in England": Reader(
        ENGLAND_SEEN, "month,metric,metric_name,england_value\n" + "".join(
            f"2026-06,{metric},n,{value}\n" for metric, value in {
                **dict.fromkeys(nhs_children.AUTISM_MEASURES, 200), "ASD18c": 10, "ASD18e": 20,
                "ASD18f": 170, "ASD19c": 5, "ASD19e": 10, "ASD19f": 85,
            }.items()
        ),
        lambda root, areas: nhs_children._england(root), ",200", "england_value", 2, count=False,
    ),
    "links": Reader(
        LINKS, "la_name,icb_name,nhs_code,nhs_name\nBury,x,00V,NHS Bury\nBury,x,00T,NHS B\n",
        lambda root, areas: nhs_organisations.nhs_area_links(root, areas), whole=False,
    ),
}  # fmt: skip


def pack(reader: Reader, content: bytes) -> bytes:
    """Content of the file as the publisher packs it."""
    if reader.path.endswith(".gz"):
        return gzip.compress(content)
    if not reader.member:
        return content
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(reader.member, content)
    return out.getvalue()


def put(root, reader: Reader, packed: bytes) -> None:
    file = root / reader.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(packed)


def cell(value: str):
    """Put a value into the reader's number."""
    return lambda r: r.text.replace(r.cell, re.sub(r"[\d.]+(?=,?$)", value, r.cell), 1)


def lines(change):
    """Change the lines of a file."""
    return lambda r: "\n".join(change(r.text.splitlines())) + "\n"


def refused(reader: Reader, root, areas) -> str:
    with pytest.raises(SendAnalysisError) as caught:
        reader.read(root, areas)
    message = str(caught.value)
    assert "\n" not in message
    assert reader.path in message or reader.path.split("/")[-1] in message
    return message


SHAPES = {
    "short row": (lines(lambda all: [*all[:-1], all[-1].rsplit(",", 2)[0]]), "cells?, the first"),
    "extra cell": (lines(lambda all: [*all[:-1], f"{all[-1]},9"]), "cells, the first row has"),
    "commas at the ends": (lines(lambda all: [all[0], *(f"{x}," for x in all[1:])]), "cells, the"),
    "torn last record": (lambda r: r.text.rstrip("\n"), "has no line end"),
    "cut in a row": (lambda r: r.text[: r.text.rstrip().rindex(",")], "cells?, the first|no line"),
    "nothing": (lambda r: "", "not a table"),
    "null": (lambda r: r.text.replace(",", ",\x00", 1), "null character"),
    "semicolons": (lambda r: re.sub(r",", ";", r.text), "semicolons|missing|Local Authority"),
    "open quote": (lines(lambda all: [*all[:-1], f'"{all[-1]}']), "cannot be split"),
}
NUMBERS = {"text": "abc", "inf": "inf", "too large": "1e400", "nan": "NaN", "below 0": "-7"}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_refuses_each_spoil_in_one_line(tmp_path, areas, name):
    reader = READERS[name]
    if reader.beside[0]:
        put(tmp_path, Reader(*reader.beside, None), reader.beside[1].encode())
    put(tmp_path, reader, pack(reader, reader.text.encode()))
    if reader.whole:
        before = reader.read(tmp_path, areas)
        put(tmp_path, reader, pack(reader, (reader.text + "," * 3 + "\n").encode()))
        if reader.text.count(",", 0, reader.text.index("\n")) >= 3:
            assert str(reader.read(tmp_path, areas)) == str(before)  # rows of commas are none
    for spoil, (change, says) in SHAPES.items():
        put(tmp_path, reader, pack(reader, change(reader).encode()))
        assert re.search(says, refused(reader, tmp_path, areas)), spoil
    values = NUMBERS | ({"fraction": "2804.5", "exponent": "2.8E+03"} if reader.count else {})
    for spoil, value in values.items() if reader.cell else ():
        put(tmp_path, reader, pack(reader, cell(value)(reader).encode()))
        message = refused(reader, tmp_path, areas)
        assert f"column '{reader.column}', row {reader.row}: " in message, (spoil, message)
        assert repr(value) in message
    put(tmp_path, reader, pack(reader, reader.text.encode("utf-16")))
    assert "not UTF-8" in refused(reader, tmp_path, areas)
    if reader.member or reader.path.endswith(".gz"):
        whole = pack(reader, reader.text.encode())
        for packed in (b"", reader.text.encode(), whole[: len(whole) // 2], whole[:-5]):
            put(tmp_path, reader, packed)
            assert re.search("damaged|not a table", refused(reader, tmp_path, areas))
    (tmp_path / reader.path).unlink()
    assert "no such file" in refused(reader, tmp_path, areas)
    (tmp_path / reader.path).mkdir()
    assert "is a folder" in refused(reader, tmp_path, areas)


# Workbooks


def xlsx(**sheets) -> bytes:
    """Write a workbook: rows of cells by name of the sheet."""

    def text(rows) -> str:
        cells = (
            "".join(
                f'<c t="inlineStr"><is><t>{cell}</t></is></c>'
                if isinstance(cell, str) else f"<c><v>{cell}</v></c>"
                for cell in row
            )
            for row in rows
        )  # fmt: skip
        return "".join(f"<row>{row}</row>" for row in cells)

    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    listed, related, out = "", "", io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, (name, rows) in enumerate(sheets.items(), start=1):
            listed += f'<sheet name="{name}" sheetId="{number}" r:id="r{number}"/>'
            related += (
                f'<Relationship Id="r{number}" Type="{office}/worksheet" '
                f'Target="worksheets/sheet{number}.xml"/>'
            )
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{text(rows)}</sheetData></worksheet>',
            )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="r1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}">{related}</Relationships>',
        )
    return out.getvalue()


def ods(**sheets) -> bytes:
    """Write an OpenDocument spreadsheet, without the entry `mimetype`, as the publisher does."""
    names = {
        name: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"
        for name in ("office", "table", "text")
    }
    spaces = " ".join(f'xmlns:{name}="{address}"' for name, address in names.items())
    tables_ = "".join(
        f'<table:table table:name="{name}">'
        + "".join(
            "<table:table-row>"
            + "".join(
                f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p>'
                "</table:table-cell>"
                for cell in row
            )
            + "</table:table-row>"
            for row in rows
        )
        + "</table:table>"
        for name, rows in sheets.items()
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "META-INF/manifest.xml",
            '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>{tables_}"
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return out.getvalue()


def spending(cell="2735834", code="351"):
    first = ["", "", "", "", "Section 251 budget", "", "", "Section 251 outturn", ""]
    headings = ["", "", "", "", "Place funding", "Special schools and academies", "",
                "Place funding", ""]  # fmt: skip
    bury = ["", "", code, "Bury", "6339125", "1", "", cell, ""]
    return xlsx(Sheet=[[""] * 9, [""] * 9, first, headings, [""] * 9, bury])


def deficits(cell="11.97", code="Bury"):
    return xlsx(Sheet=[
        ["time_period", "geographic_level", "region_name", "la_name", "deficit"],
        ["201920", "Local authority", "North West", code, cell],
    ])  # fmt: skip


def grant(cell="45243107", code="351"):
    summary = [["", "", "Total DSG allocation", "High needs block"], [code, "Bury", "209", cell]]
    pupils = [["", "", "Number of pupils in special schools"], ["351", "Bury", "613.5"]]
    return ods(Allocations_summary=summary, High_needs_block=pupils)


def near(cell="1", code="351"):
    return xlsx(Sheet=[["LA num"] + ["x"] * 24, [code, "Bury", *[cell] * 23]])


def _month(root):
    return nhs_waits.read_release(nhs_sheets.read_sheets(root, WAITS), source=WAITS)


WORKBOOKS = {
    "spending": (SPENDING, spending, lambda root, areas: finance._spending(root, areas)),
    "deficits": (DEFICITS, deficits, lambda root, areas: finance._deficits(root, areas)),
    "grant": (GRANT, grant, lambda root, areas: finance._grant(root, areas, 2023)),
    "neighbours": (NEIGHBOURS, near, lambda root, areas: geography.neighbours(root, areas)),
    "waits": (WAITS, near, lambda root, areas: _month(root)),
    "mental health": (MINDS, near, lambda root, areas: nhs_mental_health.read_workbook(root, 2021)),
}


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_reader_of_a_workbook_refuses_each_spoil_in_one_line(tmp_path, areas, name):
    path, make, read = WORKBOOKS[name]
    reader = Reader(path, "", read)
    if name not in {
        "neighbours",
        "waits",
        "mental health",
    }:  # whole ones have every authority, or every sheet
        put(tmp_path, reader, make())
        assert len(read(tmp_path, areas))
        for value in ("abc", "inf", "1e400", "NaN"):
            put(tmp_path, reader, make(cell=value))
            message = refused(reader, tmp_path, areas)
            assert repr(value) in message
            assert ", row " in message
        for code in ("999", "0351", "E0800000", "Narnia"):
            put(tmp_path, reader, make(code=code))
            refused(reader, tmp_path, areas)
    whole = make()
    for at in (0, 4, len(whole) // 3, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        put(tmp_path, reader, whole[:at])
        assert re.search("damaged|cannot be read|workbook", refused(reader, tmp_path, areas)), at
    others = [b"PK\x03\x04" + bytes(200), b"<html>Not found</html>", b"a,b\n1,2\n"]
    for content in [*others, xlsx(), pack(Reader("x.zip", "", None, member="a"), b"")]:
        put(tmp_path, reader, content)
        refused(reader, tmp_path, areas)
    if name != "waits":
        for rows in ([], [[""]], [["x"]], [["x", "y"]] * 3):
            sheets = {"Allocations_summary": rows, "High_needs_block": rows, "1a": rows}
            put(tmp_path, reader, xlsx(**sheets))
            refused(reader, tmp_path, areas)
    (tmp_path / path).unlink()
    assert "no such file" in refused(reader, tmp_path, areas)
    (tmp_path / path).mkdir()
    assert "is a folder" in refused(reader, tmp_path, areas)


HEADS = [
    "Organisation Code", "Organisation Name", *(
        next(words for words, ours in nhs_mental_health.COLUMNS.items() if ours == name)
        for name in nhs_mental_health.VALUES
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "rows", "says"),
    [
        ("Table 1a: waits", [], "the title is 'Table 1a: waits'"),
        ("April 2021 - March 2022", [], "no rows below its heading"),
        ("Aprl 2021 - March 2022", [], "the title says Aprl 2021"),
        ("April 2020 - March 2021", [], "expected the year from April 2021"),
        ("April 2021 - March 2022", [["01A", "Group", *["7"] * 11]], "no row of England"),
        ("April 2021 - March 2022", [["Narnia", "Group", *["7"] * 11]], "'Narnia' is no code"),
        ("April 2021 - March 2022", [["01A", "Group", *["7.5"] * 11]], "'7.5' is not a whole"),
        ("April 2021 - March 2022", [["01A", "Group", *["1e400"] * 11]], "'1e400' is beyond"),
    ],
)
def test_a_sheet_of_mental_health_waits_is_refused_by_what_is_wrong(tmp_path, title, rows, says):
    if not title.startswith("Table"):
        title = (
            "Table 1a: The number of referrals for children and young people and the time waiting "
            "between referral and their second contact, for "
            f"{next(iter(nhs_mental_health.SERVICES))}, {title}"
        )
    reader = Reader(MINDS, "", lambda root, areas: nhs_mental_health.read_workbook(root, 2021))
    put(tmp_path, reader, xlsx(**{"1a": [[title], HEADS, *rows]}))
    assert says in refused(reader, tmp_path, None)


@pytest.mark.parametrize("cell", [True, "2024-05-01", -1, 2.5, "abc"])
def test_a_count_of_a_waiting_list_is_a_number(cell):
    with pytest.raises(SendAnalysisError, match=r"a\.xlsx, column 'A', row 4"):
        nhs_sheets._counts([[cell]], nhs_sheets.np.array([3]), 0, "a.xlsx")
