"""NHS waiting-list workbooks: layouts, missing cells, names, sums, and what is refused."""

import copy

import numpy as np
import pandas as pd
import pytest

from send_analysis import tables
from send_analysis.cleaning import nhs_organisations, nhs_sheets, nhs_waits
from send_analysis.cleaning.nhs_sheets import rules
from send_analysis.errors import DataError

BANDS = list(nhs_waits.BANDS)
LINES = [(group, name) for group, names in rules()["services"].items() for name in names]
HIDDEN = {(g, n) for g, names in rules()["national_total_only"].items() for n in names}
CYP_OT = ("cyp", "Therapy interventions: Occupational therapy")
PROVIDERS = {  # code: (name, board)
    "RA1": ("North Town NHS Trust", "QA1"),
    "RA2": ("West Town NHS Foundation Trust", "QA1"),
    "RA3": ("Coast Care CIC", "QA2"),
    "RA4": ("Moor Community Health NHS Trust", "QA3"),
    "RA5": ("Vale of Example NHS Trust", "QA3"),
}
BOARDS = {"QA1": ("Hill and Dale", "YA1"), "QA2": ("Coast", "YA1"), "QA3": ("Moor", "YA2")}
REGIONS = {"YA1": "Upper Region", "YA2": "Lower Region"}


def misplaced(cells: pd.DataFrame) -> pd.DataFrame:
    """Providers that a month's tables add into another region than their board's."""
    own = cells.drop_duplicates(["month", "organisation_code"])
    regions = own[own.level == "icb"].set_index(["month", "organisation_code"]).part_of
    counted = nhs_organisations.membership(cells, into="region").rename(
        columns={"part_of": "counted_in"}
    )
    found = own[own.level == "provider"].merge(counted, on=["month", "organisation_code"])
    found = found.rename(columns={"part_of": "board"}).merge(
        regions.rename("region_of_board"),
        left_on=["month", "board"],
        right_index=True,
    )
    columns = ["month", "organisation_code", "organisation", "board", "region_of_board"]
    wrong = found.region_of_board != found.counted_in
    return found.loc[wrong, [*columns, "counted_in"]].reset_index(drop=True)


def figures(seed=1, absent=(), moved=None):
    """Counts by organisation code: bands of every line; boards and regions add up."""
    rng = np.random.default_rng(seed)
    board_of = {code: board for code, (_, board) in PROVIDERS.items()} | (moved or {})
    bands = {
        code: rng.integers(0, 40, (len(LINES), len(BANDS)))
        for code in PROVIDERS
        if code not in absent
    }
    boards = {
        code: sum((bands[p] for p in bands if board_of[p] == code), np.zeros_like(bands["RA1"]))
        for code in BOARDS
    }
    regions = {
        code: sum(boards[b] for b, (_, region) in BOARDS.items() if region == code)
        for code in REGIONS
    }
    return {"": sum(regions.values()), **regions, **boards, **bands}


def label(line):
    """Column heading of a line."""
    return f"({'A' if line[0] == 'adult' else 'CYP'}) {line[1]}"


def workbook(
    counts, *, layout="level, code and name", month="January 2023", names=None, star="*", notes=True
):
    """Sheets as the reader takes them, in one of the publisher's layouts."""
    names = (
        {"": "England"}
        | REGIONS
        | {k: v[0] for k, v in (BOARDS | PROVIDERS).items()}
        | (names or {})
    )
    level = {"": "National"} | dict.fromkeys(REGIONS, "Region") | dict.fromkeys(BOARDS, "ICB")
    blocks = [
        ("", "National"),
        *[(c, "Region") for c in REGIONS],
        *[(c, "ICB") for c in BOARDS],
        *[(c, "Provider") for c in counts if c in PROVIDERS],
    ]
    date = pd.Timestamp(f"1 {month}")
    sheets = {}
    for name, spec in rules()["bands"].items():
        band = spec["band"]
        rows, merged = [[f"{spec['title'].capitalize()} by service, {month}"]], []
        rows += [["Blanks indicate no organisation submitted for the service line."]]
        if layout == "level merged down the side":
            rows += [[""]]
        heads = {
            "level merged down the side": ["", "", ""],
            "level and name": ["Organisation Type", "Organisation Name"],
            "level, code and name": ["Organisation Type", "Organisation Code", "Organisation Name"],
        }[layout]
        rows.append([*heads, *map(label, LINES)])
        first = {}
        for code, kind in blocks:
            first.setdefault(kind, len(rows))
            kind_printed = kind
            if layout == "level merged down the side":
                shown = "Organisation" if kind == "Provider" else kind
                top = first[kind] == len(rows) and kind != "National"
                left = ["", shown if top else "", names[code]]
            elif layout == "level and name":
                left = [kind_printed, names[code]]
            else:
                left = [kind_printed, code, names[code]]
            cells = []
            for i, line in enumerate(LINES):
                value = (
                    counts[code][i].sum() if band == "total" else counts[code][i][BANDS.index(band)]
                )
                hidden = line in HIDDEN and (level.get(code) != "National" or band != "total")
                cells.append(star if hidden else float(value))
            rows.append([*left, *cells])
        if layout == "level merged down the side":
            ends = {kind: max(i for i, b in enumerate(blocks) if b[1] == kind) for kind in first}
            start = len(rows) - len(blocks)
            merged = [
                ((first[kind], 1), (start + ends[kind], 1)) for kind in first if kind != "National"
            ]
        if notes:
            rows += [[""], ["Data are unvalidated management information."]]
        width = max(map(len, rows))
        sheets[name] = ([[*row, *[""] * (width - len(row))] for row in rows], merged)
    total = float(counts[""].sum())
    sheets["Table 2"] = (
        [
            ["National time series"],
            [
                "Service",
                (date - pd.offsets.MonthBegin()).date(),
                date.date(),
                (date + pd.offsets.MonthBegin()).date(),
            ],
            ["England", 1.0, total, ""],
        ],
        [],
    )
    sheets["Table 3"] = (
        [["National overview"]]
        + [
            [
                label(line),
                float(counts[""][i].sum()),
                *(["*"] * 7 if line in HIDDEN else map(float, counts[""][i])),
            ]
            for i, line in enumerate(LINES)
        ],
        [],
    )
    return sheets


def cell(sheets, name, code_or_name, line, value):
    """Replace one cell; returns the sheets."""
    sheets = copy.deepcopy(sheets)
    rows, _ = sheets[name]
    head = next(row for row in rows if label(LINES[0]) in row)
    row = next(row for row in rows if code_or_name in row)
    row[head.index(label(line))] = value
    return sheets


def value(table, code, line, band="total", month="2023-01-01"):
    """One number of the tidy table."""
    rows = table[
        (table["organisation_code"] == code)
        & (table["age_group"] == line[0])
        & (table["service"] == line[1])
        & (table["band"] == band)
        & (table["month"] == month)
    ]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize("layout", list(rules()["layouts"]))
def test_every_layout_gives_the_same_cells(layout):
    counts = figures()
    cells = nhs_waits.read_release(workbook(counts, layout=layout), source="a.xlsx")
    assert len(cells) == 11 * len(LINES) * 8
    assert set(cells["level"]) == {"england", "region", "icb", "provider"}
    row = cells[
        (cells["organisation"] == "Coast Care CIC")
        & (cells["service"] == CYP_OT[1])
        & (cells["age_group"] == "cyp")
    ].set_index("band")
    expected = counts["RA3"][LINES.index(CYP_OT)]
    assert row.loc[BANDS, "waiting"].tolist() == expected.tolist()
    assert row.loc["total", "waiting"] == expected.sum()
    assert row.loc["total", "level"] == "provider"
    assert row.loc["total", "month"] == pd.Timestamp("2023-01-01")


def test_merged_level_reaches_every_row_of_its_block():
    cells = nhs_waits.read_release(
        workbook(figures(), layout="level merged down the side"), source="a.xlsx"
    )
    levels = cells.drop_duplicates("organisation").groupby("level").size()
    assert levels.to_dict() == {"england": 1, "icb": 3, "provider": 5, "region": 2}


def test_notes_above_and_below_are_no_organisations():
    cells = nhs_waits.read_release(workbook(figures(), notes=True), source="a.xlsx")
    assert not cells["organisation"].str.contains("Data are|Blanks").any()
    assert cells["organisation"].nunique() == 11


@pytest.mark.parametrize("printed", ["*", ""])
def test_lines_published_for_england_alone_are_suppressed_elsewhere(printed):
    cells = nhs_waits.read_release(workbook(figures(), star=printed), source="a.xlsx")
    hidden = cells[pd.MultiIndex.from_frame(cells[["age_group", "service"]]).isin(HIDDEN)]
    shown = hidden[hidden["waiting"].notna()]
    assert set(shown["level"]) == {"england"}
    assert set(shown["band"]) == {"total"}
    assert set(hidden.loc[hidden["waiting"].isna(), "missing"]) == {"suppressed"}
    assert (cells.loc[cells["waiting"].notna(), "missing"] == "").all()


def test_a_line_nobody_submitted_is_blank_and_not_zero():
    counts = figures()
    at = LINES.index(CYP_OT)
    for code in ("RA1", "QA1", "YA1", ""):  # take RA1's list out of every sum
        counts[code][at] = counts[code][at] - (counts["RA1"][at] if code != "RA1" else 0)
    counts["RA1"][at] = 0
    sheets = workbook(counts)
    for name in rules()["bands"]:
        sheets = cell(sheets, name, "RA1", CYP_OT, "")
    cells = nhs_waits.read_release(sheets, source="a.xlsx")
    rows = cells[
        (cells["organisation"] == "North Town NHS Trust")
        & (cells["age_group"] == "cyp")
        & (cells["service"] == CYP_OT[1])
    ]
    assert rows["waiting"].isna().all()
    assert (rows["missing"] == "not_returned").all()


def test_an_organisation_absent_for_a_month_stays_as_not_returned():
    table = nhs_waits.nhs_waits(
        {
            "1.xlsx": workbook(figures(1)),
            "2.xlsx": workbook(figures(2, absent=("RA3",)), month="February 2023"),
            "3.xlsx": workbook(figures(3), month="March 2023"),
        }
    )
    gap = value(table, "RA3", CYP_OT, month="2023-02-01")
    assert pd.isna(gap["waiting"])
    assert gap["missing"] == "not_returned"
    assert gap["part_of"] == ""
    assert value(table, "RA3", CYP_OT, month="2023-03-01")["part_of"] == "QA2"


def test_an_organisation_is_not_expected_before_its_first_or_after_its_last_month():
    table = nhs_waits.nhs_waits(
        {
            "1.xlsx": workbook(figures(1, absent=("RA3",))),
            "2.xlsx": workbook(figures(2), month="February 2023"),
            "3.xlsx": workbook(figures(3, absent=("RA5",)), month="March 2023"),
        }
    )
    months = table.groupby("organisation_code")["month"].agg(["min", "max"])
    assert months.loc["RA3"].tolist() == [pd.Timestamp("2023-02-01"), pd.Timestamp("2023-03-01")]
    assert months.loc["RA5", "max"] == pd.Timestamp("2023-02-01")


def test_capitals_and_codes_that_come_later_are_one_organisation():
    capitals = {k: v[0].upper() for k, v in (BOARDS | PROVIDERS).items()}
    table = nhs_waits.nhs_waits(
        {
            "1.xlsx": workbook(figures(1), layout="level merged down the side"),
            "2.xlsx": workbook(figures(2), month="February 2023", names=capitals),
        }
    )
    names = table.groupby("organisation_code")["organisation"].unique()
    assert names["RA5"].tolist() == ["Vale of Example NHS Trust"]
    assert names["QA1"].tolist() == ["Hill and Dale"]
    assert set(table["organisation_code"]) == {"E92000001", *REGIONS, *BOARDS, *PROVIDERS}


def test_a_name_printed_in_capitals_alone_is_written_in_ordinary_letters():
    capitals = {"RA5": "VALE OF EXAMPLE NHS TRUST", "RA3": "COAST CARE CIC"}
    table = nhs_waits.nhs_waits({"1.xlsx": workbook(figures(), names=capitals)})
    names = table.drop_duplicates("organisation_code").set_index("organisation_code")
    assert names.at["RA5", "organisation"] == "Vale of Example NHS Trust"
    assert names.at["RA3", "organisation"] == "Coast Care CIC"


def test_a_renamed_organisation_is_one_under_its_newest_name():
    table = nhs_waits.nhs_waits(
        {
            "1.xlsx": workbook(figures(1)),
            "2.xlsx": workbook(
                figures(2), month="February 2023", names={"RA1": "North Town Teaching NHS Trust"}
            ),
        }
    )
    rows = table[table["organisation_code"] == "RA1"]
    assert set(rows["organisation"]) == {"North Town Teaching NHS Trust"}
    assert rows["month"].nunique() == 2


def test_a_name_that_is_new_and_in_capitals_replaces_the_old_one():
    table = nhs_waits.nhs_waits(
        {
            "1.xlsx": workbook(figures(1)),
            "2.xlsx": workbook(
                figures(2), month="February 2023", names={"RA1": "NORTH TOWN TEACHING NHS TRUST"}
            ),
        }
    )
    rows = table[table["organisation_code"] == "RA1"]
    assert set(rows["organisation"]) == {"North Town Teaching NHS Trust"}


def test_a_name_without_any_code_is_refused_and_says_where_to_add_it():
    with pytest.raises(DataError, match=r"1\.xlsx.*'North Town NHS Trust'.*codes_not_printed"):
        nhs_waits.nhs_waits(
            {
                "1.xlsx": workbook(figures(1), layout="level and name"),
                "2.xlsx": workbook(
                    figures(2), month="February 2023", names={"RA1": "North Town Teaching"}
                ),
            }
        )


def twin(sheets, change=0):
    """Print Coast Care CIC a second time, in capitals."""
    sheets = copy.deepcopy(sheets)
    for name in rules()["bands"]:
        rows, _ = sheets[name]
        at = next(i for i, row in enumerate(rows) if "Coast Care CIC" in row)
        again = [x.upper() if isinstance(x, str) else x for x in rows[at]]
        again[0] = "Provider"
        again[-1] += change
        rows.insert(at + 1, again)
    return sheets


def test_letter_case_twins_count_once():
    counts = figures()
    cells = nhs_waits.read_release(twin(workbook(counts)), source="a.xlsx")
    coast = cells[cells["organisation"].str.casefold() == "coast care cic"]
    assert len(coast) == len(LINES) * 8


def test_twins_with_different_numbers_are_refused():
    with pytest.raises(DataError, match="'coast care cic' stands there twice"):
        nhs_waits.read_release(twin(workbook(figures()), change=1), source="a.xlsx")


def relabel(sheets, name, change):
    """Apply a change to the heading row of one sheet."""
    sheets = copy.deepcopy(sheets)
    rows, _ = sheets[name]
    change(next(row for row in rows if label(LINES[0]) in row))
    return sheets


def test_a_layout_never_seen_is_refused_with_sheet_row_and_what_is_known():
    def change(row):
        row[1] = "Provider Code"

    with pytest.raises(DataError, match=r"sheet 'Table 4c', row 3: .*'Provider Code'.*known are"):
        nhs_waits.read_release(relabel(workbook(figures()), "Table 4c", change), source="a.xlsx")


def test_a_new_service_line_is_refused_at_its_cell():
    def change(row):
        row[3] = "(A) Tele-care"

    with pytest.raises(DataError, match=r"sheet 'Table 4', column 'D', row 3: '\(A\) Tele-care'"):
        nhs_waits.read_release(relabel(workbook(figures()), "Table 4", change), source="a.xlsx")


def test_a_service_line_that_stands_twice_is_refused():
    def change(row):
        row[4] = row[3]

    with pytest.raises(DataError, match="stands there twice"):
        nhs_waits.read_release(relabel(workbook(figures()), "Table 4", change), source="a.xlsx")


def test_a_missing_service_line_is_named():
    sheets = workbook(figures())
    rows, merged = sheets["Table 4"]
    sheets["Table 4"] = ([row[:-1] for row in rows], merged)
    with pytest.raises(DataError, match=r"no column for \(cyp\) Wheelchair"):
        nhs_waits.read_release(sheets, source="a.xlsx")


def test_bands_on_exchanged_sheets_are_refused():
    sheets = workbook(figures())
    sheets["Table 4a"], sheets["Table 4b"] = sheets["Table 4b"], sheets["Table 4a"]
    with pytest.raises(DataError, match=r"sheet 'Table 4a'.*expected '0-1 weeks'"):
        nhs_waits.read_release(sheets, source="a.xlsx")


def test_an_unknown_level_is_refused():
    sheets = workbook(figures())
    for name in rules()["bands"]:
        next(row for row in sheets[name][0] if "RA1" in row)[0] = "Place"
    with pytest.raises(DataError, match="'North Town NHS Trust' has level 'Place'"):
        nhs_waits.read_release(sheets, source="a.xlsx")


def test_another_workbook_is_refused():
    with pytest.raises(DataError, match="no sheet 'Table 4'"):
        nhs_waits.read_release({"Cover page": ([["A title"]], [])}, source="a.xlsx")


@pytest.mark.parametrize(
    ("printed", "message"),
    [(-3.0, "-3.0 is negative"), (2.5, "not a whole number"), ("n/a", "neither a count")],
)
def test_impossible_cells_are_refused_at_their_place(printed, message):
    sheets = cell(workbook(figures()), "Table 4d", "RA2", LINES[1], printed)
    with pytest.raises(DataError, match=rf"sheet 'Table 4d', column 'E', row 11: .*{message}"):
        nhs_waits.read_release(sheets, source="a.xlsx")


@pytest.mark.parametrize(
    ("code", "level"), [("RA2", "provider"), ("QA2", "icb"), ("YA1", "region")]
)
def test_levels_that_do_not_add_up_are_refused(code, level):
    sheets = cell(workbook(figures()), "Table 4", code, CYP_OT, 99999.0)
    with pytest.raises(DataError, match=rf"{level} rows add up to .*Occupational therapy.*total"):
        nhs_waits.read_release(sheets, source="a.xlsx")


def test_england_must_be_what_the_national_table_prints():
    sheets = workbook(figures())
    sheets["Table 3"][0][5][1] += 1
    with pytest.raises(DataError, match="sheet 'Table 3', row 6"):
        nhs_waits.read_release(sheets, source="a.xlsx")


def test_a_title_of_another_month_is_refused():
    sheets = workbook(figures())
    sheets["Table 2"] = workbook(figures(), month="March 2023")["Table 2"]
    with pytest.raises(DataError, match="title says January 2023, Table 2 ends with March 2023"):
        nhs_waits.read_release(sheets, source="a.xlsx")


def test_a_month_not_named_in_the_titles_is_read_from_the_series():
    sheets = workbook(figures(), month="February 2023")
    for name in rules()["bands"]:
        sheets[name][0][0][0] = sheets[name][0][0][0].removesuffix(", February 2023")
    cells = nhs_waits.read_release(sheets, source="a.xlsx")
    assert set(cells["month"]) == {pd.Timestamp("2023-02-01")}


def test_a_month_without_a_workbook_stays_out():
    table = nhs_waits.nhs_waits(
        {"1": workbook(figures(1)), "3": workbook(figures(1), month="March 2023")}
    )
    assert table["month"].dt.month.unique().tolist() == [1, 3]
    assert (table["repeated"] == 0).all()  # March repeats January, but not the month before


def test_a_band_printed_in_two_is_read_and_joined():
    counts = figures()
    sheets = workbook(counts, month="December 2024")
    rows, merged = sheets.pop("Table 4g")
    head = next(row for row in rows if "Organisation Name" in row)
    odd = {name for name in head[3:] if head.index(name) % 2}  # lines where all waited longest

    def part(older):
        return [
            [0.0 if isinstance(x, float) and (head[at] in odd) != older else x
             for at, x in enumerate(row)]
            for row in rows
        ]  # fmt: skip

    for name, older in (("Table 4g", False), ("Table 4h", True)):
        sheets[name] = (part(older), merged)
        title = rules()["bands_split"][name]["title"]
        sheets[name][0][0][0] = f"Number waiting >{title} by service, December 2024"
    for row in sheets["Table 3"][0][1:]:
        value = row[-1]
        row[-1:] = [0.0, value] if row[0] in odd else [value, 0.0]
    cells = nhs_waits.read_release(sheets, source="a.xlsx")
    plain = nhs_waits.read_release(workbook(counts, month="December 2024"), source="b.xlsx")
    key = ["level", "organisation_code", "age_group", "service"]
    split = cells.pivot(index=key, columns="band", values="waiting")
    joined = plain.pivot(index=key, columns="band", values="waiting")
    assert split["52+"].equals(joined["52+"])
    assert (split["52-104"] + split["104+"]).equals(split["52+"])
    assert (split["104+"].dropna() > 0).any() and (split["52-104"].dropna() > 0).any()


def test_a_list_that_repeats_the_month_before_is_counted_out_of_every_sum():
    january, february = figures(1), figures(2)
    for above in ("", "YA1", "QA1"):
        february[above] = february[above] - february["RA2"] + january["RA2"]
    february["RA2"] = january["RA2"]
    table = nhs_waits.nhs_waits(
        {"1": workbook(january), "2": workbook(february, month="February 2023")}
    )
    assert (table.loc[table["month"] == "2023-01-01", "repeated"] == 0).all()
    again = table[(table["month"] == "2023-02-01") & (table["age_group"] == "cyp")]
    wide = again.pivot(index=["service", "band"], columns="organisation_code", values="repeated")
    own = again[again["organisation_code"] == "RA2"].set_index(["service", "band"])["waiting"]
    shown = wide[own.reindex(wide.index).notna()]
    expected = own.reindex(shown.index)
    assert (expected > 0).any()
    for code in ("RA2", "QA1", "YA1", "E92000001"):
        assert (shown[code] == expected).all()
    assert (shown[["RA1", "QA2", "QA3", "YA2"]].fillna(0) == 0).all(axis=None)


def test_small_lists_repeat_only_with_their_provider():
    def cells(services):
        parts = [
            pd.DataFrame({
                "month": pd.Timestamp(month), "organisation_code": "RA1", "level": "provider",
                "age_group": "cyp", "service": service, "band": ["total", "0-1"],
                "waiting": pd.array([count, count], "Int64"),
            })
            for service, counts in services.items()
            for month, count in zip(("2023-01-01", "2023-02-01"), counts, strict=True)
        ]  # fmt: skip
        return nhs_waits.repeats(pd.concat(parts))["service"].tolist()

    assert cells({"A": (30, 30), "B": (5, 6)}) == ["A"]
    assert cells({"A": (30, 31), "B": (5, 5)}) == []
    assert cells({"A": (15, 15), "B": (5, 5)}) == ["A", "B"]
    assert cells({"A": (19, 19), "B": (0, 0)}) == []


def test_a_month_held_twice_is_refused():
    with pytest.raises(DataError, match=r"holds January 2023, as one\.xlsx does"):
        nhs_waits.nhs_waits({"one.xlsx": workbook(figures(1)), "two.xlsx": workbook(figures(2))})


def test_boards_of_providers_are_recovered_from_the_sums():
    table = nhs_waits.nhs_waits(
        {
            "1": workbook(figures(1)),
            "2": workbook(figures(2, moved={"RA2": "QA2"}), month="February 2023"),
        }
    )
    own = table.drop_duplicates(["month", "organisation_code"])
    january = own[own["month"] == "2023-01-01"].set_index("organisation_code")["part_of"]
    assert january[list(PROVIDERS)].to_dict() == {k: v[1] for k, v in PROVIDERS.items()}
    assert january[list(BOARDS)].to_dict() == {k: v[1] for k, v in BOARDS.items()}
    assert set(january[list(REGIONS)]) == {"E92000001"}
    february = own[own["month"] == "2023-02-01"].set_index("organisation_code")["part_of"]
    assert february["RA2"] == "QA2"


def test_sums_that_no_assignment_explains_are_refused():
    counts = figures()
    counts["QA1"][5] += 1  # boards still add up to England, but not from providers
    counts["QA3"][5] -= 1
    counts["YA1"][5] += 1
    counts["YA2"][5] -= 1
    with pytest.raises(DataError, match="provider rows cannot be assigned to the icb rows"):
        nhs_waits.nhs_waits({"1": workbook(counts)})


def test_a_provider_counted_in_a_foreign_region_is_found():
    counts = figures(2)
    counts["YA1"] = counts["YA1"] - counts["RA2"]
    counts["YA2"] = counts["YA2"] + counts["RA2"]
    table = nhs_waits.nhs_waits(
        {
            "1": workbook(figures(1)),
            "2": workbook(counts, month="February 2023"),
            "3": workbook(figures(3), month="March 2023"),
        }
    )
    found = misplaced(table)
    assert found[
        ["organisation_code", "board", "region_of_board", "counted_in"]
    ].to_numpy().tolist() == [["RA2", "QA1", "YA1", "YA2"]]
    assert found["month"].tolist() == [pd.Timestamp("2023-02-01")]


# What follows reads the committed table or the official workbooks.


@pytest.mark.parametrize(
    ("month", "code", "service", "band", "expected"),
    [  # read off the workbooks by hand
        ("2023-01-01", "E92000001", "Community paediatric service", "total", 64597),
        ("2023-10-01", "E92000001", "Community paediatric service", "52+", 14033),
        ("2023-01-01", "QOP", "Therapy interventions: Occupational therapy", "total", 5603),
        ("2023-02-01", "QOP", "Therapy interventions: Occupational therapy", "total", 1144),
        ("2023-02-01", "RM3", "Therapy interventions: Speech and language", "total", 428),
        ("2023-08-01", "QOP", "Community paediatric service", "total", 1900),
        ("2023-10-01", "RM3", "Community paediatric service", "total", 997),
        ("2023-01-01", "E92000001", "Looked after children teams", "total", 5817),
    ],
)
def test_committed_table_has_the_published_figures(month, code, service, band, expected):
    row = value(tables.load("nhs_waits"), code, ("cyp", service), band, month)
    assert row["waiting"] == expected


def test_committed_table_has_gaps_between_its_months_and_knows_who_missed_one():
    table = tables.load("nhs_waits")
    months = table["month"].drop_duplicates().sort_values()
    assert months.dt.strftime("%Y-%m").tolist() == [
        *[f"2023-{month:02d}" for month in range(1, 11)],
        *[f"2024-{month:02d}" for month in range(8, 13)],
        *[f"2025-{month:02d}" for month in (*range(1, 8), 10)],
    ]
    gap = value(
        table, "RM3", ("cyp", "Therapy interventions: Speech and language"), "total", "2023-07-01"
    )
    assert pd.isna(gap["waiting"])
    assert gap["missing"] == "not_returned"
    greater_manchester = table[(table["part_of"] == "QOP") & (table["month"] == "2023-10-01")]
    assert set(greater_manchester["organisation_code"]) == {
        "RMC",
        "R0A",
        "RM3",
        "RWJ",
        "RMP",
        "RRF",
    }


def test_one_provider_was_counted_in_another_region_in_july():
    table = tables.load("nhs_waits")
    found = misplaced(table[table["month"] < "2024-01-01"])
    assert found["organisation"].tolist() == ["Oxleas NHS Foundation Trust"]
    assert found["month"].tolist() == [pd.Timestamp("2023-07-01")]


@pytest.mark.official
def test_agrees_with_an_independent_extraction_cell_by_cell(official):
    theirs = pd.read_csv(
        official / "nhs_community/cyp_waits_tidy_2023-01_to_2023-10.csv.gz",
        dtype=str,
        keep_default_na=False,
    )
    names = {
        "community paediatric service": "Community paediatric service",
        "occupational therapy": "Therapy interventions: Occupational therapy",
        "physiotherapy": "Therapy interventions: Physiotherapy",
        "speech and language": "Therapy interventions: Speech and language",
        "audiology": "Audiology",
    }
    ours = pd.concat(
        [
            nhs_waits.read_release(
                nhs_sheets.read_sheets(official, f"nhs_community/{path.name}"), source=path.name
            )
            for path in sorted((official / "nhs_community").glob("community_health_*.xlsx"))
        ]
    )
    ours = ours[(ours["age_group"] == "cyp") & ours["service"].isin(names.values())]
    ours = ours.assign(
        name=ours["organisation"].str.casefold(), month=ours["month"].dt.strftime("%Y-%m")
    )
    theirs = theirs.assign(
        name=theirs["org_name"].str.casefold(),
        service=theirs["service"].map(names),
        level=theirs["org_type"].str.lower().replace("national", "england"),
        band=theirs["weeks_waiting"].str.replace(">52", "52+").str.replace(">", ""),
        waiting=pd.to_numeric(theirs["value"]).astype("Int64"),
    )
    key = ["month", "level", "name", "service", "band"]
    both = ours.merge(theirs, on=key, how="outer", suffixes=("", "_theirs"), indicator=True)
    assert len(theirs) == 73_880
    assert (both["_merge"] == "both").all()
    assert (
        both["waiting"]
        .astype("Float64")
        .fillna(-1)
        .equals(both["waiting_theirs"].astype("Float64").fillna(-1))
    )


@pytest.mark.official
def test_later_months_agree_with_an_independent_extraction_cell_by_cell(official):
    theirs = pd.read_csv(
        official / "nhs_community/cyp_waits_tidy_2024-08_to_2025-10.csv.gz", dtype="str"
    )
    kinds = ("Dietetics", "Occupational therapy", "Orthotics", "Physiotherapy",
             "Speech and language")  # fmt: skip
    names = {kind.casefold(): f"therapy interventions: {kind.casefold()}" for kind in kinds}
    theirs = theirs.assign(
        month=pd.to_datetime(theirs["month"]),
        level=theirs["org_type"].str.lower().replace("national", "england"),
        organisation_code=theirs["org_code"].where(theirs["org_type"] != "National", "E92000001"),
        service=theirs["service"].replace(names),
        band=theirs["weeks_waiting"].replace({">52": "52+", ">104": "104+"}).str.strip(">"),
        value=theirs["value"].astype(int),
    )
    ours = tables.load("nhs_waits")
    split = ours["month"] >= "2024-12-01"  # from here on 52+ is joined here
    ours = ours[
        (ours["age_group"] == "cyp") & (ours["month"] >= "2024-08-01") & ours["waiting"].notna()
        & ~(split & (ours["band"] == "52+"))
    ]  # fmt: skip
    key = ["month", "level", "organisation_code", "service", "band"]
    ours = ours.assign(service=ours["service"].str.casefold()).set_index(key)["waiting"]
    theirs = theirs.set_index(key)["value"]
    assert len(theirs) == 118_141
    assert ours.sort_index().astype(int).equals(theirs.sort_index().rename("waiting"))


@pytest.mark.official
def test_repeats_named_by_another_reading_are_found(official):
    """Trusts whose children's lists print last month again, as read by eye in the workbooks."""
    named = {
        "2024-09": "R1C RV9", "2024-10": "RPG RYV RYX", "2024-11": "RHA RV9",
        "2025-01": "RTF RW1 RXC RXQ", "2025-02": "RW1 RXC", "2025-03": "RBT RW1 RXC RY3",
        "2025-04": "R0A RJL RXC RXK", "2025-05": "RXC", "2025-06": "TAD",
    }  # fmt: skip
    table = tables.load("nhs_waits").query("level == 'provider' and band == 'total'")
    lists = table[(table["waiting"] > 0) & (table["month"] >= "2024-08-01")]
    whole = (
        (lists["repeated"] == lists["waiting"])
        .groupby([lists["month"].dt.strftime("%Y-%m"), lists["organisation_code"]])
        .all()
    )
    found = set(whole[whole].index)
    assert {(month, code) for month, codes in named.items() for code in codes.split()} <= found


@pytest.mark.official
def test_the_departments_own_series_for_england_is_the_same(official):
    series = pd.read_csv(official / "nhs_community/eng_ch_time_series_derived.csv")
    table = tables.load("nhs_waits")
    england = table[(table["organisation_code"] == "E92000001") & (table["age_group"] == "cyp")]
    service = england["service"].str.removeprefix("Therapy interventions: ").str.casefold()
    ours = england.assign(service=service).set_index(["month", "service", "band"])["waiting"]
    columns = {
        "Total waiting list": "total",
        "Waiting >18-52 weeks": "18-52",
        "Waiting >52 weeks": "52+",
    }
    for column, band in columns.items():
        keys = zip(
            pd.to_datetime(series["formattedDate"]), series["Therapy"].str.casefold(), strict=True
        )
        assert [ours[month, name, band] for month, name in keys] == series[column].tolist()
