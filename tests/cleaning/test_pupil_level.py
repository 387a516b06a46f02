"""Pupil-level files: the same tables as by hand and as pandas gives; what is wrong is named."""

import gzip

import numpy as np
import pandas as pd
import pytest

from send_analysis import tables
from send_analysis.cleaning import pupil_level
from send_analysis.errors import DataError

pytest.importorskip("duckdb", reason="the extra 'pupil-level' is not installed")

BURY, OLDHAM, CAMDEN = "E08000002", "E08000004", "E09000007"
BY_HAND = f"""person_id,area_code,year,age,support,setting,need,left_out
1,{BURY},2025,2,EHC plan,early years,visual impairment,x
2,{BURY},2025,10,EHC plan,mainstream,autistic spectrum disorder,x
3,{BURY},2025,10,EHC plan,mainstream,"social, emotional and mental health",x
4,{BURY},2025,11,SEN support,mainstream,,x
5,{OLDHAM},2025,25,EHC plan,further education,visual impairment,x
6,{CAMDEN},2025,7,none,,,x
1,{CAMDEN},2024,6,none,,,x
"""


def write(folder, text):
    path = folder / "people.csv"
    path.write_text(text, encoding="utf-8")
    return path


def plans(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return frame["plans"].sum()


def test_by_hand(tmp_path):
    made = pupil_level.aggregate(write(tmp_path, BY_HAND))
    bands = made["ehc_plans"]
    assert plans(bands, area_code=BURY, age_band="all") == 3
    assert plans(bands, area_code=BURY, age_band="5-10") == 2
    assert plans(bands, area_code="E12000002", age_band="all") == 4
    assert plans(bands, area_code="E92000001", age_band="20-25") == 1
    assert plans(bands, area_code=CAMDEN) == 0
    ages = made["ehc_plans_by_age"]
    assert plans(ages, area_code=BURY, age="10", setting="mainstream") == 2
    assert plans(ages, area_code=BURY, age="0-2", setting="all") == 1
    needs = made["primary_need"]
    assert set(needs["plans_counted"]) == {"in January"}
    assert plans(needs, area_code="E92000001", primary_need="visual impairment") == 2
    assert plans(needs, area_code="E92000001", primary_need="all") == 4
    support = made["support"].set_index(["area_code", "year", "support"])["people"]
    assert support["E92000001", 2025].to_dict() == {"EHC plan": 4, "SEN support": 1, "none": 1}
    assert support[CAMDEN, 2024].to_dict() == {"none": 1}


def test_columns_are_those_of_the_tidy_tables(tmp_path):
    made = pupil_level.aggregate(write(tmp_path, BY_HAND))
    for name in ("ehc_plans", "ehc_plans_by_age", "primary_need"):
        fields = {field["name"]: field for field in tables.resource(name)["schema"]["fields"]}
        assert set(made[name].columns) <= set(fields)
        for column in made[name].columns:
            allowed = fields[column].get("constraints", {}).get("enum")
            assert allowed is None or set(made[name][column]) <= set(allowed)


def test_compressed_files_and_former_codes(tmp_path):
    path = tmp_path / "people.csv.gz"
    old = BY_HAND.replace(OLDHAM, "E10000002")  # Buckinghamshire until 2020
    path.write_bytes(gzip.compress(old.encode()))
    made = pupil_level.aggregate(path)["ehc_plans"]
    assert plans(made, area_code="E06000060", age_band="all") == 1


def test_pandas_comes_to_the_same(tmp_path):
    """A second way over 20,000 made-up people: cross-tabulation of the whole file."""
    random = np.random.default_rng(1)
    count = 20_000
    needs = [it for it in tables.load("primary_need")["primary_need"].unique() if it != "all"]
    people = pd.DataFrame(
        {
            "person_id": np.arange(count),
            "area_code": random.choice([BURY, OLDHAM, CAMDEN], count),
            "year": random.choice([2024, 2025], count),
            "age": random.integers(0, 26, count),
            "support": random.choice(pupil_level.SUPPORT, count),
            "setting": random.choice(["mainstream", "early years"], count),
            "need": random.choice(needs, count),
        }
    )
    path = tmp_path / "people.csv"
    people.to_csv(path, index=False)
    made = pupil_level.aggregate(path, memory="200MB")
    own = people[people["support"] == "EHC plan"]
    crossed = pd.crosstab([own["area_code"], own["year"]], own["need"])
    found = made["primary_need"].query(
        "primary_need != 'all' and area_code in @crossed.index.levels[0]"
    )
    found = found.pivot(index=["area_code", "year"], columns="primary_need", values="plans")
    assert (found.to_numpy() == crossed[found.columns].to_numpy()).all()
    bands = made["ehc_plans"].query("age_band != 'all' and area_code == 'E92000001'")
    sizes = own["age"].between(11, 15).groupby(own["year"]).sum()
    assert (
        bands.query("age_band == '11-15'").set_index("year")["plans"].to_dict() == sizes.to_dict()
    )
    assert bands["plans"].sum() == len(own)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("need,left", "neeed,left", "no column 'need'; nearest: neeed"),
        (f"2,{BURY}", "2,E08009999", "column 'area_code', row 3: 'E08009999' is not the code"),
        (f"6,{CAMDEN}", "6,E12000007", "row 7: 'E12000007' is not the code of an authority"),
        ("2025,25", "2025,26", "column 'age', row 6: '26' is not an age"),
        ("2025,11,", "2025,11.5,", "column 'age', row 5: '11.5' is not an age"),
        ("2025,11,", "2025,,", "column 'age', row 5: an empty cell is not an age"),
        ("SEN support", "K", "column 'support', row 5: 'K' is not one of EHC plan"),
        ("early years", "nursery", "column 'setting', row 2: 'nursery' is not one of mainstream"),
        ("autistic spectrum disorder", "ASD", "column 'need', row 3: 'ASD' is not one of"),
        (f"3,{BURY}", f"2,{BURY}", "column 'person_id', row 3: '2' stands in 2 rows"),
        (f"3,{BURY}", f",{BURY}", "an empty identifier stands in 1 rows of January 2025"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, says):
    assert BY_HAND.count(old) == 1
    with pytest.raises(DataError) as error:
        pupil_level.aggregate(write(tmp_path, BY_HAND.replace(old, new)))
    assert says in str(error.value)
    assert "people.csv" in str(error.value)


def test_a_damaged_or_absent_file(tmp_path):
    with pytest.raises(DataError, match=r"people\.csv"):
        pupil_level.aggregate(tmp_path / "people.csv")
    with pytest.raises(DataError, match=r"people\.csv"):
        pupil_level.aggregate(write(tmp_path, ""))
    cut = write(tmp_path, BY_HAND + "8,E08000002,2025\n")
    with pytest.raises(DataError, match=r"people\.csv"):
        pupil_level.aggregate(cut)
