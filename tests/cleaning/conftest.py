"""A small release in the publisher's layout, which a test can spoil."""

import zipfile

import pytest

from send_analysis.cleaning import reading

PLACE = {
    "time_identifier": "Calendar year", "geographic_level": "Local authority",
    "country_code": "E92000001", "country_name": "England", "region_code": "E12000002",
    "region_name": "North West", "new_la_code": "E08000002", "old_la_code": "351",
    "la_name": "Bury",
}  # fmt: skip


@pytest.fixture
def requests_file(tmp_path):
    """Write a requests file of the 2025 release; `spoil` changes its text before it is packed."""
    spec = reading.release("ehc_plans_2025")
    columns = list(spec["files"]["requests"]["values"])

    def write(spoil=lambda text: text, encoding="utf-8-sig"):
        heading = ["time_period", *PLACE, "breakdown_topic", "breakdown", *columns]
        rows = [
            [year, *PLACE.values(), "All requests", "All requests", *cells]
            for year, cells in (
                ("2023", ["500", "300", "x", "z", "c", ":", "", "40", "3"]),
                ("2024", ["560", "358", "184", "18", "0", "535", "29", "80", "7"]),
            )
        ]
        text = "\n".join(",".join(row) for row in [heading, *rows]) + "\n"
        path = tmp_path / spec["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(spec["files"]["requests"]["member"], spoil(text).encode(encoding))
        return tmp_path

    return write
