"""The tables that stand, in place of the older releases that they were made from.

A new release holds the newest years, and a person who brings it in need not have the older ones:
what the tables have of them goes on. It goes on as a release would give it: a year whole, from the
newest release that has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from send_analysis import quality
from send_analysis.cleaning import layout, reading, series
from send_analysis.errors import MissingFileError

# Tables of which a release may have one kind of row of a year and not the others.
KINDS = {
    "ehc_plans": "age_band", "new_plans": "age_band", "primary_need": "plans_counted",
    "tribunals": "measure",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Standing:
    """Tables that stand, and the folder of releases that are at hand.

    Attributes
    ----------
    source : Path
        Folder of the official releases.
    out : Path
        Folder of the tables.
    entries : dict of dict
        Entries of the tables' descriptor, by table.
    """

    source: Path
    out: Path = Path()
    entries: dict[str, dict] = field(default_factory=dict)

    def absent(self, table: str) -> list[str]:
        """Return the releases that a table was made from and that are not at hand."""
        entry = self.entries.get(table)
        if entry is None or not (self.out / entry["path"]).is_file():
            return []
        known = layout.specification()["releases"]
        names = [source["name"] for source in entry["sources"] if source["name"] in known]
        return [n for n in names if not (self.source / layout.release(n)["path"]).exists()]

    def replaces(self, release: str, table: str = "") -> bool:
        """Say whether a table (if not given: any) stands for a release that is not at hand."""
        return any(release in self.absent(name) for name in ([table] if table else self.entries))

    def outdated(self) -> MissingFileError | None:
        """Return what to say where the tables were made from a newer release than is at hand."""
        there = {name for table in self.entries for name in self.absent(table)}
        try:
            newest = series.present(self.source)[0]
        except MissingFileError:
            return None
        known = series.known()
        newer = [name for name in known[: known.index(newest)] if name in there]
        if not newer:
            return None
        entry = layout.release(newer[0])
        return MissingFileError(
            f"no such file below {self.source}, and the tables in {self.out} were made from it, "
            f"which is newer than {layout.release(newest)['path']}; put it there (it is at "
            f"{entry['url']}), or build into another folder (--out)",
            file=entry["path"],
        )

    def read(self, table: str) -> pd.DataFrame:
        """Read a table."""
        entry = self.entries[table]
        kinds = {"integer": "Int64", "number": "Float64"}
        types = {f["name"]: kinds.get(f["type"], "str") for f in entry["schema"]["fields"]}
        numeric = {name: [""] for name, kind in types.items() if kind != "str"}
        frame = pd.read_csv(
            self.out / entry["path"], dtype=types, keep_default_na=False, na_values=numeric
        )
        if "area_code" in frame:
            frame["area_code"] = frame["area_code"].replace(reading.RECODED)
        return frame

    def kept(self, table: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the rows of releases that are not at hand and that no other release takes over.

        Of a release of the series: those of a year (and kind) that no newer release has. Of one
        from before it: those of categories that no later release has in that year.
        """
        absent = self.absent(table)
        later = set(absent) & set(series.known())
        released = self._released(table)
        if not (absent if released else later):
            return frame
        before = self.read(table)
        stays = ~_in(_whole(table, before), _whole(table, frame))
        if released:
            key = [c for c in self.entries[table]["schema"]["primaryKey"] if c != "area_code"]
            lacking = ~_in(before[key], frame[key])
            stays = stays.where(before["release"].isin(series.known()), lacking)
            stays &= before["release"].isin(absent)
        return pd.concat([frame, before[stays]], ignore_index=True) if stays.any() else frame

    def _released(self, table: str) -> bool:
        """Say whether each row of a table names its release."""
        described = self.entries.get(table, {}).get("schema", {"fields": []})["fields"]
        return any(column["name"] == "release" for column in described)

    def years_of(self, table: str, made: pd.DataFrame, both: pd.DataFrame) -> set[int] | None:
        """Return the years of a table that are wholly from releases which are not at hand.

        `made` is what the builder gave and `both` what :meth:`kept` added to. None if nothing of
        the table that stands goes on.
        """
        if not self._released(table):
            return {*both["year"]} - {*made["year"]} if len(both) > len(made) else None
        kept = both["release"].isin(self.absent(table))
        whole = kept.groupby(both["year"]).all()
        return set(whole.index[whole]) if kept.any() else None

    def expected(self, table: str, item: str, check: str, says: str = "") -> pd.DataFrame:
        """Return what findings that stand expected: ``area_code, year, value``.

        `says` is what the end of their note must be.
        """
        if "quality" not in self.entries:
            return no_rows("area_code", "year", "value")
        rows = self.read("quality")
        rows = rows[
            (rows["table"] == table) & (rows["item"] == item) & (rows["check"] == check)
            & rows["note"].str.endswith(says)
        ]  # fmt: skip
        return rows.rename(columns={"expected": "value"})[["area_code", "year", "value"]]

    def printed(self, table: str, category: str, release: str, check: str) -> pd.DataFrame:
        """Return one category of a release that is not at hand, as far as the tables say.

        Rows that are from it, and figures that a later release has otherwise, which `check` noted.

        Returns
        -------
        DataFrame
            ``area_code, year, value``.
        """
        frame = self.read(table)
        of = [c for c in self.entries[table]["schema"]["primaryKey"]
              if c not in {"area_code", "year"}]  # fmt: skip
        first, *others = (frame[column] for column in of)
        name = first.str.cat(others, sep="/") if others else first
        rows = frame[(frame["release"] == release) & (name == category)]
        value = next(c for c in (table, "plans") if c in frame and c not in of)
        rows = rows.rename(columns={value: "value"})[["area_code", "year", "value"]]
        item = "" if check == quality.EARLIER else category
        noted = self.expected(table, item, check, f"{release} printed 'expected'")
        return pd.concat([rows, noted], ignore_index=True)


def no_rows(*columns: str) -> pd.DataFrame:
    """Return a frame without rows, in the types of the builders."""
    types = {"year": "int64", "value": "Float64", "plans": "Float64", "statements": "Float64"}
    return pd.DataFrame({name: pd.Series(dtype=types.get(name, "str")) for name in columns})


def _whole(table: str, rows: pd.DataFrame) -> pd.DataFrame:
    """What a release gives whole or not at all: a year; of some tables, a year of one kind."""
    kind = rows[KINDS[table]] if table in KINDS else pd.Series("", index=rows.index)
    if kind.name == "age_band":
        kind = kind.where(kind == "all", "band")
    return pd.DataFrame({"year": rows["year"], "kind": kind})


def _in(rows: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Say which rows another frame has too."""
    found = pd.MultiIndex.from_frame(rows).isin(pd.MultiIndex.from_frame(others))
    return pd.Series(found, index=rows.index)
