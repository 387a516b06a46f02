"""The command line as a user meets it."""

import json
import subprocess
import sys

import pytest

from send_analysis import cli

EVIDENCE = [
    "id", "claimed", "compare", "official", "unit", "verdict", "same_as", "window", "definition",
    "who", "said", "published", "table", "note",
]  # fmt: skip


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command; return its exit code, output and error output."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["send-analysis", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        out = capsys.readouterr()
        return code, out.out, out.err

    return call


def test_evidence_as_json_has_one_object_a_claim(run):
    code, out, _ = run("evidence", "bury", "--format", "json")
    rows = json.loads(out)
    assert code == 0
    assert len(rows) >= 28
    assert all(list(row) == EVIDENCE for row in rows)
    by_id = {row["id"]: row for row in rows}
    assert by_id["growth-bury"]["official"] == pytest.approx(66.11, abs=0.005)
    assert by_id["wait-camhs"]["official"] is None


def test_evidence_as_csv_and_as_a_table(run):
    _, out, _ = run("evidence", "bury", "--format", "csv")
    assert out.splitlines()[0] == ",".join(EVIDENCE)
    _, out, _ = run("evidence", "bury")
    assert "not reproduced" in out
    assert "not testable: no public series exists" in out
    assert "a public series exists but is not in these tables" in out
    assert out.splitlines()[-1].startswith("Of 33 claims about Bury, 6 are reproduced, 1 is ")


@pytest.mark.parametrize("area", ["England", "Cornwall", "County Durham"])
def test_evidence_of_other_areas(run, area):
    code, out, _ = run("evidence", area)
    assert code == 0
    assert area in out.splitlines()[-1]


def test_data_is_listed_and_verified(run):
    code, out, _ = run("data", "list", "--format", "json")
    assert code == 0
    assert "ehc_plans" in {row["table"] for row in json.loads(out)}
    code, out, _ = run("data", "verify")
    assert code == 0
    assert "tables are as" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evidence", "Burry"], "Did you mean Bury"),
        (["evidence", "Oldham"], "No claims are recorded for Oldham"),
        (["data", "build", "--from", "nowhere"], "nowhere is not a folder"),
        (["report", "Atlantis"], "Unknown area 'Atlantis'"),
        (["report"], "Give the areas to report on, or --all"),
        (["report", "Bury", "--all"], "Give the areas to report on, or --all"),
        (["report", "Bury", "--scheduler", "tcp://x:1"], "or --all (which --scheduler needs)"),
    ],
)
def test_a_mistake_is_one_line(run, arguments, says):
    code, out, error = run(*arguments)
    assert code == 2
    assert out == ""
    assert error.startswith("Error: ")
    assert says in error
    assert error.count("\n") == 1


def test_help_imports_nothing_heavy():
    heavy = ["pandas", "numpy", "scipy", "matplotlib", "statsmodels", "nbconvert", "IPython"]
    code = (
        "import sys; from send_analysis import cli; import typer.testing as t; "
        "r = t.CliRunner().invoke(cli.app, ['--help']); assert r.exit_code == 0; "
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_all_reports_list_what_failed_and_say_so_with_the_exit_code(run, monkeypatch, tmp_path):
    import pandas as pd

    from send_analysis.report import batch

    told = pd.DataFrame(
        {"area": ["Bury", "Hull"], "state": ["written", "failed"], "error": ["", "no luck"]}
    )
    monkeypatch.setattr(batch, "render_all", lambda **_: told)
    code, out, error = run("report", "--all", "--out", str(tmp_path))
    assert code == 1
    assert error == "Hull: no luck\n"
    assert out.splitlines() == ["1 written, 1 failed", str(tmp_path / "index.html")]
    monkeypatch.setattr(batch, "render_all", lambda **_: told.head(1))
    assert run("report", "--all", "--out", str(tmp_path))[0] == 0


def test_what_does_not_fit_into_memory_is_one_line(run, monkeypatch):
    from send_analysis import tables

    def full():
        raise MemoryError

    monkeypatch.setattr(tables, "verify", full)
    code, _, error = run("data", "verify")
    assert code == 2
    assert error == "Error: not enough memory; ask for fewer simulations, years or --jobs\n"
