"""The command line: `send-analysis`. Each command is thin and imports what it needs itself."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="SEND services in England: claims tested, growth explained, demand forecast.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: `rich` alone takes 0.2 s to import
)
data = typer.Typer(
    help="List, check, refresh and rebuild the tidy tables.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(data, name="data")


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    csv = "csv"
    json = "json"


class Part(StrEnum):
    """A part of the capacity report."""

    places = "places"
    assessments = "assessments"
    staff = "staff"
    cost = "cost"
    shifts = "shifts"
    budget = "budget"
    published = "published"
    scap = "scap"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print the result.")]


def show(frame: pd.DataFrame, form: Format) -> None:
    """Print a result: a table for people, CSV, or JSON with one object a row."""
    if form is Format.csv:
        sys.stdout.write(frame.to_csv(index=False, lineterminator="\n"))
    elif form is Format.json:
        rows = json.loads(frame.to_json(orient="records", date_format="iso", force_ascii=False))
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        print(frame.to_string(index=False, na_rep="–", max_colwidth=60))


@data.command("list")
def list_tables(form: FormatOption = Format.table) -> None:
    """List the tables with their years, rows and sources."""
    from send_analysis import tables

    listed = tables.catalogue().reset_index()
    show(listed.drop(columns="columns") if form is Format.table else listed, form)


@data.command("verify")
def verify_tables() -> None:
    """Check every table against its descriptor: hash, rows, types, keys, values."""
    from send_analysis import tables

    problems = tables.verify()
    if len(problems):
        for problem in problems["problem"]:
            print(problem, file=sys.stderr)
        raise typer.Exit(1)
    print(f"{len(tables.catalogue())} tables are as {tables.data_dir() / tables.DESCRIPTOR} says")


@data.command("build")
def build_tables(
    source: Annotated[Path, typer.Option("--from", help="Folder of the official releases.")],
    out: Annotated[Path | None, typer.Option(help="Where the tables go [default: data]")] = None,
) -> None:
    """Rebuild the tables from the official releases; those whose releases are not there stay."""
    from send_analysis import tables
    from send_analysis.cleaning.build import build

    done = build(source, out)
    print(f"{len(done.written)} tables written")
    for name, why in done.kept.items():
        print(f"{name}: as before, because {why}", file=sys.stderr)
    _keep_hindcast(tables.data_dir() if out is None else out)


def _keep_hindcast(out: Path) -> None:
    """Compute the hindcast of places anew where the tables that it is made from have changed."""
    from send_analysis import tables
    from send_analysis.capacity import hindcast

    tables.clear_cache()
    if out.resolve() != tables.data_dir().resolve():
        print("hindcasts: as before; `data build` without --out makes them", file=sys.stderr)
    elif len(hindcast.origins()) > 1 and not hindcast.is_new():
        print(f"{hindcast.write()} written")


@data.command("dictionary")
def write_dictionary(
    out: Annotated[Path | None, typer.Option(help="File to write [default: print it].")] = None,
) -> None:
    """Write the data dictionary from the descriptor (docs/data_dictionary.md is made by this)."""
    from send_analysis import disk
    from send_analysis.report import dictionary

    text = dictionary.markdown()
    if out is None:
        sys.stdout.write(text)
    else:
        disk.write_text(out, text)


@data.command("refresh")
def refresh_tables(
    only: Annotated[
        list[str] | None, typer.Argument(metavar="[TABLE...]", help="Tables [default: all].")
    ] = None,
    release: Annotated[str, typer.Option(help="Reporting year, or latest.")] = "latest",
    folder: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Folder of the releases [default: SEND_ANALYSIS_RELEASES, or in your cache]",
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option("--zip", help="Archive of the release, downloaded by hand: no network."),
    ] = None,
    estimates: Annotated[
        Path | None,
        typer.Option(
            "--population", help="File of mid-year estimates, downloaded by hand: no network."
        ),
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """Fetch a release from its publisher and rebuild the tables; print what it revises."""
    from send_analysis import tables
    from send_analysis.releases import refresh

    done = refresh.refresh(release, only or (), folder=folder, archive=archive, estimates=estimates)
    for line in [*refresh.summary(done), *refresh.by_hand(only or ())]:
        print(line, file=sys.stderr)
    _keep_hindcast(tables.data_dir())
    if len(done.revisions):
        show(refresh.by_table(done.revisions) if form is Format.table else done.revisions, form)


@app.command()
def evidence(
    area: Annotated[str, typer.Argument(help="Local authority.")],
    form: FormatOption = Format.table,
) -> None:
    """Test the claims made about an area against the official tables."""
    from send_analysis.evidence import verdicts, views, words

    found = verdicts.ledger(area)
    if form is not Format.table:
        show(found, form)
        return
    print(views.claims_table(found).to_string(index=False, max_colwidth=70))
    print(words.tallied(found, area))


@app.command()
def report(
    areas: Annotated[
        list[str] | None, typer.Argument(metavar="AREA...", help="Names or codes.")
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Every local authority, England and an index of them."),
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
    jobs: Annotated[int, typer.Option(min=1, help="How much to do at the same time.")] = 2,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="With --all: Dask scheduler whose workers to use."),
    ] = None,
    briefing: Annotated[
        bool, typer.Option("--briefing", help="Only the first page: HTML, and PDF by a browser.")
    ] = False,
    browser: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="With --briefing: what prints [default: Chromium, Chrome or Edge]"
        ),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(
            "--date", metavar="YEAR-MONTH-DAY", help="Day that stands on the pages [default: today]"
        ),
    ] = None,
) -> None:
    """Execute the notebooks for each AREA and write its report: HTML that needs no network."""
    from send_analysis.errors import ParameterError

    if everything == bool(areas) or (scheduler and not everything):
        raise ParameterError("Give the areas to report on, or --all (which --scheduler needs).")
    if (briefing and everything) or (browser and not briefing):
        raise ParameterError("--briefing goes with areas, not with --all; --browser goes with it.")
    if everything:
        _report_all(out, jobs, scheduler, day)
    elif briefing:
        _brief(areas, out, browser, day)
    else:
        from send_analysis.report import render

        pages = render.render(areas, out, jobs=jobs, day=day)
        for path in pages.loc[pages["page"] == "index", "path"]:
            print(path)


def _brief(areas: list[str], out: Path, browser: str | None, day: str | None) -> None:
    """Write briefings; say why there is no PDF."""
    from send_analysis.report import briefing, edition

    written, why = briefing.write(areas, out, edition.edition_of(day), browser=browser)
    for path in written:
        print(path)
    if why:
        print(why, file=sys.stderr)


def _report_all(out: Path, jobs: int, scheduler: str | None, day: str | None) -> None:
    """Write all reports; list those that failed."""
    from send_analysis.report import batch, index

    told = batch.render_all(out=out, jobs=jobs, scheduler=scheduler, day=day)
    for row in told[told["state"] == "failed"].itertuples():
        print(f"{row.area}: {row.error}", file=sys.stderr)
    count = told["state"].value_counts()
    print(", ".join(f"{number} {state}" for state, number in count.items()))
    print(out / index.NAME)
    if "failed" in count:
        raise typer.Exit(1)


@app.command()
def waits(
    area: Annotated[str, typer.Argument(help="Local authority.")],
    service: Annotated[
        list[str] | None, typer.Option(help="Service, more than once if need be [default: five].")
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """Measure the NHS waiting lists that hold an area's children, month by month."""
    from send_analysis.waits import lists

    serving = lists.organisations(area)
    found = lists.waits(area, services=service or tuple(lists.SERVICES))
    found = found.assign(month=found["month"].dt.strftime("%Y-%m"), value=found["value"].round(2))
    # Beside the result, so that csv and json stay clean: no list is the area's own.
    links = "; ".join(
        f"{name} ({basis})"
        for name, basis in zip(serving["organisation"], serving["basis"], strict=True)
    )
    print(f"No list is one authority's. Shown: {links}.", file=sys.stderr)
    show(found, form)


@app.command("forecast")
def forecast_area(
    area: Annotated[str, typer.Argument(help="Name or code of an authority, a region or England.")],
    years: Annotated[int, typer.Option(help="Years ahead, 1 to 15.")] = 5,
    as_of: Annotated[
        int | None,
        typer.Option(help="January to forecast from, 2016 or later [default: the latest]"),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="A file of levers, or the name of one in data/scenarios.")
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """Forecast EHC plans each January: in all, by age band and by setting, with quantiles.

    From an earlier January in all only.
    """
    from send_analysis import caveats
    from send_analysis.errors import MissingDataError, ParameterError
    from send_analysis.forecasting import totals, views

    doubt = caveats.doubt("ehc_plans", area, year=as_of)
    if doubt:
        raise MissingDataError(f"{doubt} Give an earlier January with --as-of.")
    if as_of is None:
        result = views.forecast(area, years, scenario=scenario)
    elif scenario is None:
        result = totals.forecast(area, horizon=years, as_of=as_of)
        result = result[result["category"] == "all"]
    else:
        raise ParameterError("--scenario starts from the latest January; leave --as-of out.")
    if form is Format.table:
        order = list(dict.fromkeys(result["category"]))
        wide = result.pivot(index=["category", "year"], columns="quantile", values="value")
        show(wide.loc[order].round().astype("int64").reset_index(), form)
    else:
        show(result.round({"value": 3}), form)


@app.command("backtest")
def backtest_forecasts(
    alternatives: Annotated[
        bool, typer.Option("--alternatives", help="Compare with other specifications instead.")
    ] = False,
    release: Annotated[
        int | None, typer.Option(help="Score the archived forecasts of that January instead.")
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """Rerun every forecast since 2016 with what was known then, and score it."""
    if release is not None:
        from send_analysis.forecasting import archive

        result = archive.scores(release)
        result = archive.summary(result) if form is Format.table else result
    else:
        from send_analysis.forecasting import choosing, scoring

        result = choosing.selection() if alternatives else scoring.backtest()
    show(result.round(2 if form is Format.table else 4), form)


@app.command()
def simulate(
    transitions: Annotated[Path, typer.Option(help="Plans in two Januaries, one row a plan.")],
    population: Annotated[Path, typer.Option(help="People by calendar and academic year.")],
    valid_states: Annotated[Path, typer.Option(help="Ages and needs that each setting takes.")],
    seed_year: Annotated[int, typer.Option(help="January to project from.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    costs: Annotated[Path | None, typer.Option(help="Yearly cost by need and setting.")] = None,
    years: Annotated[int | None, typer.Option(help="Years [default: all in population]")] = None,
    simulations: Annotated[int, typer.Option(help="Number of simulations.")] = 1000,
    seed: Annotated[int, typer.Option(help="Same seed, same result.")] = 50,
    scenario: Annotated[Path | None, typer.Option(help="YAML file of changes.")] = None,
    draws: Annotated[
        str, typer.Option(help="exact; published: with the bias of witan.send 1.7.0.")
    ] = "exact",
) -> None:
    """Project plans from an authority's own person-level transitions (docs/cohorts.md)."""
    from send_analysis.disk import writable_folder
    from send_analysis.forecasting.transitions import files, model
    from send_analysis.forecasting.transitions.scenarios import read_scenario

    writable_folder(out)
    states = files.read_valid_states(valid_states)
    cost = None if costs is None else files.read_costs(costs, states)
    moves = files.read_transitions(transitions, states)
    given = files.Files(moves, files.read_population(population), states, cost)
    results = model.simulate_transitions(
        given,
        seed_year=seed_year,
        years=years,
        scenario=None if scenario is None else read_scenario(scenario),
        draws=model.Draws(simulations, seed, draws),
    )
    written = model.write_results(results, out)
    print(f"{', '.join(path.name for path in written)} written to {out}")
    for note in model.notes(given, draws):
        print(note, file=sys.stderr)


@app.command("capacity")
def capacity_area(
    area: Annotated[str, typer.Argument(help="Name or code of an authority.")],
    scenario: Annotated[
        str | None, typer.Option(help="A YAML file, or the name of one in data/scenarios.")
    ] = None,
    years: Annotated[int, typer.Option(help="Years ahead, 1 to 15.")] = 8,
    capacity_file: Annotated[
        Path | None,
        typer.Option(help="CSV of places: kind, phase, year, places [default: places in use]"),
    ] = None,
    part: Annotated[
        Part,
        typer.Option(
            help="Specialist places; the assessment queue; staff; cost; what a tenth of new "
            "placements elsewhere changes; grant and deficit; places that are published; the "
            "school capacity return."
        ),
    ] = Part.places,
    simulations: Annotated[int, typer.Option(help="Simulations, at least 100.", min=100)] = 1000,
    seed: Annotated[int, typer.Option(help="Same seed, same result.")] = 50,
    form: FormatOption = Format.table,
) -> None:
    """Set specialist places, assessments, staff and cost against demand."""
    from send_analysis import caveats
    from send_analysis.capacity import balance
    from send_analysis.errors import MissingDataError

    doubt = caveats.unplaced(area)
    if doubt and part in {Part.places, Part.staff, Part.cost, Part.shifts, Part.scap}:
        raise MissingDataError(doubt)
    options = {
        "years": years,
        "scenario": scenario,
        "simulations": simulations,
        "seed": seed,
    }
    if part is Part.scap:
        from send_analysis.capacity import returns

        options["years"] = max(years, balance.YEARS)
        simulation = balance.simulate(area, **options)
        result = returns.layout(returns.scap(simulation))
    else:
        result = balance.part(area, part.value, **options, capacity_file=capacity_file)
    if form is not Format.table:
        show(result.round(3), form)
    elif part is Part.places:
        print(
            f"{result['area'].iat[0]}, {result['scenario'].iat[0]}. Capacity: "
            f"{'; '.join(result['basis'].str.split('; ').explode().unique())}."
        )
        show(balance.summary(result), form)
    else:
        show(result.round(2 if part is Part.assessments else 1), form)


@app.command("archive")
def archive_forecast() -> None:
    """Keep this year's forecast of every authority and England, to be scored next year."""
    from send_analysis.forecasting import archive

    print(archive.write())


def main() -> None:
    """Run the command line; a mistake in data or arguments is one line, not a traceback.

    Exit codes: 0, 1 (some reports failed, or tables are not as described), 2 (a mistake that the
    user can put right), 70 (a fault in this program), 130 (stopped with Ctrl-C).
    """
    from send_analysis.errors import SendAnalysisError

    _use_utf8()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except SystemExit as end:
        if end.code == 130:
            _end("Stopped. What was finished is kept.", 130)
        raise
    except SendAnalysisError as error:
        _end(f"Error: {error}", 2)
    except OSError as error:
        what = error.filename or "the result cannot be written"
        _end(f"Error: {what}: {error.strerror or error}", 2)
    except MemoryError:
        _end("Error: not enough memory; ask for fewer simulations, years or --jobs", 2)
    except Exception as error:
        _end(_fault(error), 70)


def _use_utf8() -> None:
    """Write results as UTF-8 where a code page lacks characters that the tables hold."""
    if sys.stdout.encoding.replace("-", "").casefold() != "utf8":
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8")


def _end(message: str, code: int) -> None:
    """Print one line and leave; what could not be written is not tried again on the way out."""
    print(" ".join(message.split()), file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _fault(error: Exception) -> str:
    """Say that the program is at fault and where, and keep the traceback for who mends it."""
    import tempfile
    import traceback

    at = traceback.extract_tb(error.__traceback__)[-1]
    with tempfile.NamedTemporaryFile(
        "w", prefix="send-analysis-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exception(error, file=file)
    return (
        f"Error: this program is at fault, or meets what it does not foresee "
        f"({type(error).__name__}: {error}; {Path(at.filename).name}, line {at.lineno}). Please "
        f"report it with {file.name}"
    )
