"""Made-up releases in the publisher's layouts, small enough to write in a moment.

No figure here is anybody's: each is computed from its place in the file. The layouts are the
publisher's; what changed in 2026 is written out below, apart from `releases.yml`.
"""

import io
import zipfile
from functools import cache
from pathlib import Path

import pandas as pd

AREAS = pd.DataFrame(
    [
        ("National", "", "", "", "", "", 30),
        ("Regional", "E12000002", "North West", "", "", "", 30),
        ("Local authority", "E12000002", "North West", "E08000002", "351", "Bury", 10),
        ("Local authority", "E12000002", "North West", "E08000001", "350", "Bolton", 20),
    ],
    columns=["geographic_level", "region_code", "region_name", "new_la_code", "old_la_code",
             "la_name", "weight"],
)  # fmt: skip

_MAINSTREAM = [
    f"mainstream_{kind}{unit}"
    for kind in ("la_maintained", "academy", "free_school")
    for unit in ("", "_resourced_provision", "_senunit")
]
_PLACEMENTS = [
    *_MAINSTREAM, "mainstream_independent", "mainstream_total", "mainstream_total_pc",
    "special_la_maintained", "special_academy_free", "special_independent",
    "special_non_maintained", "special_total", "special_total_pc", "ap_pru_academy",
    "ap_pru_free_school", "ap_pru_la_maintained", "ap_pru_total", "AP_PRU_total_pc",
    "general_fe_tertiary_colleges", "specialist_post_16_institutions", "ukrlp_provider",
    "fe_total", "fe_total_pc", "elective_home_education", "other_arrangements_la",
    "other_arrangements_parents", "online_provider", "w_settings", "other_schools",
    "other_placement_settings", "neet", "neet_ntci", "neet_other", "neet_other_csa",
    "ed_elsewhere", "ed_elsewhere_pc", "nm_early_years", "nm_early_years_pc",
    "placement_unknown", "placement_unknown_pc", "await_prov_2022", "perm_ex_2022",
]  # fmt: skip
_NEEDS = [
    "ehc_plans", "number_asd", "number_hi", "number_mld", "number_msi", "number_oth", "number_pd",
    "number_pmld", "number_semh", "number_slcn", "number_sld", "number_spld", "number_vi",
    "number_need_unknown",
]  # fmt: skip
_TIMES = [
    "plans_issued_den", "plans_issued_den_ex", "plans_issued_within_20_weeks",
    "plans_issued_20_weeks_ex", "PC_plans_issued_20_weeks_ex", "plans_issued_gt20weeks_ltYear",
    "plans_issued_gt20weeks_ltYear_ex", "plans_issued_gt_1_year", "plans_issued_gt_1_year_ex",
]  # fmt: skip

_REVIEWS_2024 = [
    "review_not_expected", "review_meeting_24", "review_meeting_25", "review_meeting_prior_24",
    "review_decision24", "review_decision25", "review_decision_prior24", "review_decision_not_due",
]  # fmt: skip

# File, period, whole, columns, {topic: breakdowns} of the 2025 release.
FILES_2025 = {
    "caseload": ("academic", "All EHC plans", ["ehcplans", *_PLACEMENTS],
                 {"Child or young persons age": ["under 3", "age 3", "age 11"]}),
    "newplans": ("calendar", "New EHC plans", ["new_ehc_plans", *_PLACEMENTS],
                 {"Age when plan started": ["Aged 2 and under", "Aged 4"],
                  "Sex": ["Female", "Male"]}),
    "ceased_plans": ("calendar", "All ceased EHC plans",
                     ["max_age", "needs_met", "he", "employ", "transfer", "no_engage",
                      "moved_outside_eng", "deceased", "not_rec", "other", "total_ceased"],
                     {"Age plan ceased": ["age 11", "Age unknown"],
                      "Type of placement": ["Special - total", "Mainstream - academy"]}),
    "requests": ("calendar", "All requests for EHC needs assessments",
                 ["requests_received_in_year", "requests_rya", "requests_decided_to_assess",
                  "requests_decided_not_to_assess", "requests_decision_not_made",
                  "requests_withdrawn", "request_outcome_six_weeks",
                  "request_outcome_over_6_weeks", "mediation_related_request",
                  "tribunal_related_request"], {}),
    "assessments": ("calendar", "All EHC needs assessments",
                    ["assess_in_year", "assess_issued", "assess_not_issued", "assess_not_made",
                     "assess_withdrawn"], {}),
    "timeliness_20_week": ("calendar", "All EHC plans issued", _TIMES, {}),
    "annual_reviews": ("calendar", "All annual reviews",
                       ["total_ehc_plans", "review_expected", "total_review_meeting",
                        "no_review_meeting", "review_decision_outstanding", "outcome_amend",
                        "outcome_cease", "outcome_maintan", "no_outcome", "number_decsion_4weeks",
                        "number_decision_gt_4weeks", *_REVIEWS_2024], {}),
    "sen_needs_all_plans": ("academic", "All EHC plans", _NEEDS, {}),
    "sen_need_newplans": ("calendar", "All EHC plans", _NEEDS, {}),
}  # fmt: skip

_SPLIT = {"special_academy_free": ["special_academy", "special_free_school"]}
_LOWER = {name: [name.lower()] for name in [*_PLACEMENTS, *_TIMES] if name != name.lower()}
_CHANGES_2026 = {
    "caseload": _SPLIT | _LOWER,
    "newplans": _SPLIT | _LOWER | {"await_prov_2022": ["await_prov"], "perm_ex_2022": ["perm_ex"]},
    "timeliness_20_week": _LOWER | {"plans_issued_den": ["plans_issued_den",
                                                         "avg_weeks_issue_plan",
                                                         "avg_weeks_issue_plan_exc"]},
    "ceased_plans": {"not_rec": []},
    "annual_reviews": dict.fromkeys(_REVIEWS_2024, ()) | {
        "review_expected": ["review_expected_2025", "review_not_expected_2025"],
        "total_review_meeting": ["review_completed_2025", "review_completed_prior_2025"],
        "no_review_meeting": ["review_not_completed"], "review_decision_outstanding": [],
        "outcome_amend": ["outcome_amended"], "outcome_cease": ["outcome_ceased"],
        "outcome_maintan": ["outcome_maintained"], "no_outcome": ["no_outcome_recorded"],
        "number_decsion_4weeks": ["decision_4_weeks"],
        "number_decision_gt_4weeks": ["decision_over_4_weeks"],
    },
    "sen_needs_all_plans": {"number_hi": ["number_ds", "number_hi"]},
    "sen_need_newplans": {"number_hi": ["number_ds", "number_hi"]},
}  # fmt: skip
_WHOLE_2026 = {
    "newplans": "All new EHC plans", "timeliness_20_week": "All EHC plans",
    "requests": "All requests for an EHC needs assessment",
    "annual_reviews": "All reviews of EHC plans",
}  # fmt: skip
_TOPICS_2026 = {"Child or young persons age": "Age at start of academic year"}
# Columns that hold "x" until a year: special free schools (with the academies till then), counted
# apart from January 2024 and, of new plans, from 2023; Down syndrome from 2026 and 2025.
FREE = "special_free_school"
_LATER_2026 = {FREE: (2024, 2023), "number_ds": (2026, 2025)}
MEMBERS_2026 = {"sen_needs_all_plans": "sen_needs_caseload"}


def figure(weight: int, year: int, column: int) -> int:
    """Figure of an area, a year and a column of the 2025 layout."""
    return weight * (100 + 10 * (year - 2018) + column)


def _rows(year: int, period: str, topic: str, breakdown: str) -> pd.DataFrame:
    """Head of the rows of one year: place and topic."""
    time = f"{year - 1}{year % 100:02d}" if period == "academic" else str(year)
    return AREAS.assign(
        time_period=time, time_identifier="made up", country_code="E92000001",
        country_name="England", breakdown_topic=topic, breakdown=breakdown, year=year,
    )  # fmt: skip


def files(release: int) -> dict[str, pd.DataFrame]:
    """Every file of a person-level release, 2025 or 2026, by its member's name.

    The 2026 release prints 1 more than the 2025 release for every figure of 2024.
    """
    out = {}
    for name, (period, whole, columns, topics) in FILES_2025.items():
        last = release if period == "academic" else release - 1
        first = {"sen_needs_all_plans": last, "sen_need_newplans": last,
                 "annual_reviews": last}.get(name, 2019)  # fmt: skip
        whole = _WHOLE_2026.get(name, whole) if release == 2026 else whole
        parts = [_rows(year, period, whole, whole) for year in range(first, last + 1)]
        parts += [
            _rows(year, period, topic, breakdown)
            for topic, breakdowns in topics.items()
            for year in (last - 1, last)
            for breakdown in breakdowns
        ]
        frame = pd.concat(parts, ignore_index=True)
        if release == 2026:
            frame["breakdown_topic"] = frame["breakdown_topic"].replace(_TOPICS_2026)
        for place, column in enumerate(columns):
            revised = ((frame["year"] == 2024) & (release == 2026)).astype("int64")
            frame[column] = figure(frame["weight"], frame["year"], place) + revised
        if release == 2026:
            frame = as_2026(frame, name, period)
            name = MEMBERS_2026.get(name, name)
        out[f"data/{name}.csv"] = frame.drop(columns=["weight", "year"])
    return out


def as_2026(frame: pd.DataFrame, name: str, period: str) -> pd.DataFrame:
    """Rename, split (a third and the rest), add and take away columns as the 2026 release did."""
    parts = {}
    for column in frame:
        for place, new in enumerate(_CHANGES_2026.get(name, {}).get(column, [column])):
            parts[new] = frame[column]
            if column == "special_academy_free":
                whole = pd.to_numeric(frame[column], errors="coerce")
                free = (whole - whole // 3).where(
                    frame["year"] >= _LATER_2026[FREE][period != "academic"], 0
                )
                cells = (free if place else whole - free).astype("Int64").astype("str")
                parts[new] = cells.mask(whole.isna(), frame[column].astype("str"))
            if new in _LATER_2026:
                first = _LATER_2026[new][period != "academic"]
                parts[new] = parts[new].astype("str").where(frame["year"] >= first, "x")
    return pd.DataFrame(parts)


TRIBUNALS_2026 = (
    "Made up,,,,,,,\n,,,,,,,\nLocal authority,Old LA code,2024,,,2025,,\n"
    ",,Appeals registered,Total appealable decisions1,SEND appeal rate2,"
    "Appeals registered,Total appealable decisions1,SEND appeal rate2\n"
    "NORTH WEST,,,,,,,\nBury,351,6,51,11.8%,7,52,13.5%\nBolton,350,-,91,0.0%,2,92,2.2%\n"
)
TRIBUNALS = (
    "Made up,,,,\nLocal Authority,LA code,2024,,\n"
    ",,Appeals registered1,Total Appealable Decisions,In development: Total Appealable Decisions\n"
    "Bury,351,5,100,50\nBolton,350,-,200,90\n"
)


def archive(members: dict[str, pd.DataFrame | str]) -> bytes:
    """Pack files as the publisher does."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, file in members.items():
            text = file if isinstance(file, str) else file.to_csv(index=False)
            packed.writestr(zipfile.ZipInfo(name), text.encode("utf-8-sig"))
    return content.getvalue()


@cache
def release(year: int) -> bytes:
    """Archive of a person-level release."""
    name, text = {
        2025: ("SEND Tribunals and appeal rate 2014-2024.csv", TRIBUNALS),
        2026: ("SEND appealable decisions rate 2024-2025.csv", TRIBUNALS_2026),
    }[year]
    return archive(files(year) | {f"supporting-files/{name}": text})


def _old(columns: list[str], dimensions: list[dict], years: range) -> pd.DataFrame:
    """One file of the aggregate returns."""
    rows = pd.concat(
        [_rows(year, "calendar", "", "").assign(**labels) for year in years
         for labels in dimensions], ignore_index=True,
    )  # fmt: skip
    for place, column in enumerate(columns):
        rows[column] = figure(rows["weight"], rows["year"], place)
    return rows.drop(columns=["weight", "year", "breakdown_topic", "breakdown"])


@cache
def release_2022() -> bytes:
    """Archive of the last release by aggregate return."""
    ages = [{"characteristic_age": age} for age in ("Total", "Under 5", "Age 11 to 15")]
    places = [
        {"establishment_group": "Total", "establishment_type": "Total"},
        {"establishment_group": "Special school", "establishment_type": "Special - Academy/free"},
    ]
    years = range(2017, 2023)
    return archive(
        {
            "data/sen2_age_caseload.csv": _old(["Total_all", "Total_st"], ages, years),
            "data/sen2_estab_caseload.csv": _old(["Total_all"], places, years),
            "data/sen2_age_new_plans.csv": _old(["Total_new_all", "Total_new_st"], ages, years),
            "data/sen2_estab_new_plans.csv": _old(["Total_new_all"], places, years),
        }
    )


@cache
def release_2023() -> str:
    """Management information of the 2023 release."""
    columns = [
        "inreq_ehc", "ass_refused_ehc", "new_all_ehc", "ass_none_ehc", "ass_nodecision_ehc",
        "tot_inc_exc_ehc", "inc_exc_20week_ehc", "tot_no_exc_ehc", "no_exc_20week_ehc",
        "discontinued_lea_ehc", "discontinued_left_ehc", "discontinued_met_ehc",
        "discontinued_other_ehc",
    ]  # fmt: skip
    return _old(columns, [{}], range(2017, 2023)).to_csv(index=False)


def write(folder: Path, *years: int) -> Path:
    """Write releases where `releases.yml` looks for them."""
    (folder / "ehc_plans").mkdir(parents=True, exist_ok=True)
    for year in years:
        if year == 2023:
            name, content = "sen2_mi_2023_release.csv", release_2023().encode("utf-8-sig")
        else:
            name = f"education-health-and-care-plans_{year}.zip"
            content = release_2022() if year == 2022 else release(year)
        (folder / "ehc_plans" / name).write_bytes(content)
    return folder
