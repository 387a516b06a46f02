"""The 2025 release in the layout of 2026, alone, gives the tables of 2025.

The mapping loses nothing, and what the tables have of older releases goes on.
"""

import io
import shutil
import zipfile

import made_up
import pandas as pd
import pytest

from send_analysis import tables
from send_analysis.cleaning import layout, series
from send_analysis.cleaning.build import build

PLACEMENTS = {"caseload", "newplans"}
SAME = ["ehc_plans", "ehc_plans_by_age", "placements", "new_plans", "new_plans_by_age",
        "new_plans_by_placement", "requests", "assessments", "timeliness", "primary_need", "areas",
        "area_codes"]  # fmt: skip


def in_2026_layout(content: bytes) -> bytes:
    """Rewrite an archive of the 2025 release: names, split columns, topics; no figure changes."""
    members = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in made_up.FILES_2025:
            frame = pd.read_csv(archive.open(f"data/{name}.csv"), dtype=str, keep_default_na=False,
                                encoding="utf-8-sig")  # fmt: skip
            if name in PLACEMENTS:
                whole = pd.to_numeric(frame["special_academy_free"], errors="coerce")
                # To January 2023, and of new plans to 2022, the first holds both.
                apart = frame["time_period"].str[:4].astype(int) >= 2023
                third = (whole // 3).where(apart, 0)
                code = frame["special_academy_free"].where(whole.isna())
                frame["special_academy"] = code.fillna((whole - third).astype("Int64").astype(str))
                frame["special_free_school"] = code.fillna(third.astype("Int64").astype(str)).where(
                    apart, "x"
                )
                frame = frame.drop(columns="special_academy_free")
            if name == "newplans":
                frame = frame.rename(
                    columns={"await_prov_2022": "await_prov", "perm_ex_2022": "perm_ex"}
                )
            label = {
                "newplans": ("New EHC plans", "All new EHC plans"),
                "timeliness_20_week": ("All EHC plans issued", "All EHC plans"),
                "requests": ("All requests for EHC needs assessments",
                             "All requests for an EHC needs assessment"),
                "annual_reviews": ("All annual reviews", "All reviews of EHC plans"),
                "caseload": ("Child or young persons age", "Age at start of academic year"),
            }.get(name)  # fmt: skip
            if label:
                frame["breakdown_topic"] = frame["breakdown_topic"].replace(*label)
            if name.startswith("sen_need"):
                frame["number_ds"] = "x"
            if name == "ceased_plans":
                frame = frame.drop(columns="not_rec")
            if name == "annual_reviews":
                by_year = frame.filter(regex=r"^review_(meeting|decision)_?(\d|prior|not_due)")
                frame = frame.drop(columns=by_year.columns).rename(columns={
                    "review_expected": "review_expected_2025", "outcome_cease": "outcome_ceased",
                    "review_not_expected": "review_not_expected_2025",
                    "outcome_amend": "outcome_amended", "outcome_maintan": "outcome_maintained",
                    "total_review_meeting": "review_completed_2025",
                    "no_review_meeting": "review_not_completed",
                    "review_decision_outstanding": "review_completed_prior_2025",
                    "no_outcome": "no_outcome_recorded",
                    "number_decsion_4weeks": "decision_4_weeks",
                    "number_decision_gt_4weeks": "decision_over_4_weeks",
                })  # fmt: skip
            frame.columns = [column.lower() for column in frame]
            new = {"sen_needs_all_plans": "sen_needs_caseload"}.get(name, name)
            members[f"data/{new}.csv"] = frame
    return made_up.archive(members)


@pytest.fixture(scope="module")
def rebuilt(official, tmp_path_factory):
    """The committed tables built anew from a folder that holds nothing but that archive."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("tables")
    for entry in tables.descriptor()["resources"]:
        shutil.copy(tables.data_dir() / entry["path"], out)
    shutil.copy(tables.data_dir() / tables.DESCRIPTOR, out)
    (source / "ehc_plans").mkdir()
    old = official / layout.release("ehc_plans_2025")["path"]
    new = source / layout.release("ehc_plans_2026")["path"]
    new.write_bytes(in_2026_layout(old.read_bytes()))
    with pytest.MonkeyPatch.context() as patch:
        # The release that the archive claims to be would end a year later.
        patch.setitem(layout.release("ehc_plans_2026"), "year", 2025)
        build(source, out, only=[*SAME, "ceased_plans", "annual_reviews"])
    assert series.unread_columns(source, "ehc_plans_2026").empty
    return out


def made(rebuilt, name):
    frame = tables.load(name)
    new = pd.read_csv(rebuilt / f"{name}.csv", dtype=frame.dtypes.to_dict(), keep_default_na=False,
                      na_values={c: [""] for c in frame.select_dtypes("Int64")})  # fmt: skip
    return frame, new


@pytest.mark.parametrize("name", SAME)
def test_every_table_is_the_same_but_for_the_name_of_the_release(rebuilt, name):
    old, new = made(rebuilt, name)
    if "release" in old:
        assert set(new["release"]) & {"ehc_plans_2025", "ehc_plans_2026"} == {"ehc_plans_2026"}
        new = new.assign(release=new["release"].str.replace("2026", "2025"))
    pd.testing.assert_frame_equal(old, new)


def test_what_the_2026_release_counts_otherwise(rebuilt):
    old, new = made(rebuilt, "ceased_plans")
    later = old["release"] == "ehc_plans_2025"
    expected = old[~(later & (old["reason"] == "not recorded"))]
    assert len(new) == len(expected)
    assert new["plans"].tolist() == expected["plans"].tolist()
    old, new = made(rebuilt, "annual_reviews")
    same = ["plans", "review expected", "review not expected", "decided to amend",
            "decided to maintain", "decided to cease", "no outcome recorded",
            "decided within 4 weeks", "decided after 4 weeks"]  # fmt: skip
    for measure in same:
        assert (
            old.loc[old["measure"] == measure, "plans"].tolist()
            == new.loc[new["measure"] == measure, "plans"].tolist()
        ), measure
    assert "review meeting held in any year" not in set(new["measure"])
