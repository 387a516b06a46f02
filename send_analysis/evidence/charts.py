"""Claims and official figures, drawn: each function takes a result and returns a chart."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis import caveats
from send_analysis.evidence.views import FROM
from send_analysis.show import lines
from send_analysis.show.chart import Chart
from send_analysis.show.style import CLEAR, GRID, MUTED_TEXT, PALETTE, ROLES, RULE, TEXT, across

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def five_year_growth(frame: pd.DataFrame) -> Chart:
    """Growth over windows of one length by the year they end, with what was claimed.

    `frame` as :func:`.views.windows` returns it.
    """
    own = frame[frame["role"] == "area"]
    whole = own[own["caveat"] == ""]
    claims = frame.dropna(subset="claimed")
    if len(whole):
        best = whole.loc[whole["growth"].idxmax()]
        what = "The highest five-year growth in"
        if len(own) == 1:
            what = "Growth over the only five years of"
        finding = f"{what} {best['area']} was {best['growth']:.0f} %"
        finding += ", breaks left out" if len(whole) < len(own) else ""
    else:
        finding = f"Five-year growth in {own['area'].iloc[0]} cannot be told: the series breaks"

    def draw(ax: Axes) -> None:
        lines.draw(ax, frame, "growth", mark=False)
        for row in claims.itertuples():
            ax.plot(row.year, row.claimed, _mark(row.compare), ms=11, mec="white", zorder=6,
                    color=ROLES[row.role]["color"], clip_on=False)  # fmt: skip
            ax.annotate(f"claimed for {row.area}: {row.said}", (row.year, row.claimed),
                        xytext=(8, -9), textcoords="offset points", ha="right", va="top",
                        **CLEAR)  # fmt: skip
        highest = frame[["growth", "claimed"]].max().max()
        ax.set_ylim(min(0, frame["growth"].min()), 1.12 * highest)
        ax.set_ylabel("growth in per cent")
        ax.set_xlabel("five years to January")
        lines.name(ax)

    marks = "".join(
        f" A mark shows the claim for {row.area}: {row.said}." for row in claims.itertuples()
    )
    return Chart(
        title=finding,
        subtitle="Growth in plans over the five years to each January; dotted: the series breaks "
        f"within them{_key(claims)}",
        alt=lines.told(frame, "growth", "z.0f", "growth in per cent over five years") + marks,
        data=frame.dropna(axis=1, how="all"),
        draw=draw,
        note=caveats.noted(own["caveat"]),
        source=FROM if len(claims) else "",
    )


def timeliness(frame: pd.DataFrame) -> Chart:
    """The share of plans issued in time, with what was claimed; `frame` as :func:`.views.times`."""
    claims = frame.dropna(subset="claimed").sort_values("claimed", ascending=False)
    own = frame[frame["role"] == "area"].dropna(subset="share")
    since = own.loc[own["caveat"] != "", "year"].max()
    own = own[own["year"] >= since] if pd.notna(since) else own
    first, last, worst = own.iloc[0], own.iloc[-1], own.loc[own["share"].idxmin()]
    few = {1: "", 2: f"; {first['share']:.0f} % in {first['year']}"}
    then = few.get(len(own), f"; in no year since {first['year']} less")
    if worst["share"] < last["share"]:
        then = f"; {worst['share']:.0f} % in {worst['year']}"

    def draw(ax: Axes) -> None:
        lines.draw(ax, frame, "share")
        below = claims.duplicated("year")  # of two about a year the higher has its label above
        for row, lower in zip(claims.itertuples(), below, strict=True):
            ax.plot(row.year, row.claimed, _mark(row.compare), ms=11, mec="white", zorder=6,
                    color=ROLES[row.role]["color"])  # fmt: skip
            ax.annotate(row.said, (row.year, row.claimed), xytext=(8, -9 if lower else 9),
                        textcoords="offset points", ha="right", va="top" if lower else "bottom",
                        color=TEXT, **CLEAR)  # fmt: skip
        ax.set_ylim(0, 104)
        ax.set_ylabel("per cent of plans")
        ax.set_xlabel("calendar year")
        lines.name(ax)

    marks = "".join(
        f" A mark shows the claim of {row.said} in {row.year}."
        for row in frame.dropna(subset="claimed").itertuples()
    )
    told = lines.told(frame, "share", ".0f", "the per cent of plans issued within 20 weeks")
    return Chart(
        title=f"In {last['area']} {last['in_time']:,} of {last['issued']:,} plans counted came "
        f"within 20 weeks in {last['year']} ({last['share']:.0f} %{then})",
        subtitle="Plans with a statutory exception are not counted; dotted: the series breaks"
        f"{_key(claims)}",
        alt=told + marks,
        data=frame.dropna(axis=1, how="all"),
        draw=draw,
        note="An assessment that ends without a plan is not in the figure, and a share says "
        f"nothing about how long the late ones took. {caveats.noted(frame['caveat'])}",
        source=FROM if len(claims) else "",
    )


def _key(claims: pd.DataFrame) -> str:
    """Say what the marks of claims are, those there are."""
    compared = set(claims["compare"])
    crosses = "; crosses: claims" if "equal" in compared else ""
    return crosses + ("; triangles: thresholds claimed" if compared - {"equal"} else "")


def _mark(compare: str) -> str:
    """Marker of a claim: a cross for a figure, a triangle that points where a threshold does."""
    return {"above": "^", "at least": "^", "below": "v"}.get(compare, "X")


def _reproduced(verdicts: pd.Series) -> str:
    """Say how many claims that are percentages are reproduced; none restates another."""
    if len(verdicts) == 1:
        return f"The one claim that is a percentage is {verdicts.iloc[0]}"
    count = int(verdicts.eq("reproduced").sum())
    are = "is" if count == 1 else "are"
    return f"{count} of {len(verdicts)} claims that are percentages {are} reproduced"


def claimed_and_official(frame: pd.DataFrame) -> Chart:
    """Claims in per cent beside the official figures; `frame` as :func:`.views.percentages`.

    A figure is a cross, joined to the official one by what lies between; a threshold is a bar with
    all that would agree with it shaded, so that no distance from it is drawn.
    """
    rows = frame.iloc[::-1].reset_index(drop=True)
    figure = rows["compare"] == "equal"
    names = [textwrap.fill(words, 40) for words in rows["statement"]]
    tall = 0.15 * (1 + max(name.count("\n") for name in names)) + 0.04
    told = "; ".join(
        f"{row.statement}: claimed {row.said}, official {row.official:.1f} %"
        for row in frame.itertuples()
    )

    def draw(ax: Axes) -> None:
        span = pd.concat([rows["claimed"], rows["official"]])
        low, high = min(0, span.min()), span.max()
        margin = 0.3 * (high - low)
        across(ax, names)
        for place, row in rows[~figure].iterrows():
            end = low - margin if row["compare"] == "below" else high + margin
            left = row["claimed"] > (low + high) / 2
            ax.hlines(place, row["claimed"], end, color=GRID, lw=9, zorder=0)
            ax.plot(row["claimed"], place, "|", ms=20, mew=3, color=PALETTE[3])
            ax.annotate(row["said"], (row["claimed"], place), xytext=(-4 if left else 4, 7),
                        ha="right" if left else "left", textcoords="offset points",
                        fontsize=9)  # fmt: skip
        exact = rows[figure]
        ax.hlines(exact.index, exact["claimed"], exact["official"], color=RULE, lw=2, zorder=1)
        ax.plot(rows["official"], rows.index, "o", ms=11, color=PALETTE[0])
        ax.plot(exact["claimed"], exact.index, "X", ms=7, color=PALETTE[3], mec=PALETTE[3],
                zorder=4)  # fmt: skip
        side = np.where(rows["claimed"] < rows["official"], 1, -1)
        for place, value in rows.loc[~figure, "official"].items():  # beside it is the shade
            ax.annotate(f"{value:.1f}", (value, place), xytext=(0, -8), ha="center", va="top",
                        textcoords="offset points")  # fmt: skip
        for values, form, signs in (
            (exact["official"], "{:.1f}", side[figure]),
            (exact["claimed"], "{:g}", -side[figure]),
        ):
            for (place, value), sign in zip(values.items(), signs, strict=True):
                ax.annotate(form.format(value), (value, place), xytext=(11 * sign, 0), va="center",
                            ha="left" if sign > 0 else "right",
                            textcoords="offset points")  # fmt: skip
        ax.set_xlim(low - margin, high + margin)
        ax.set_xlabel("per cent")
        ax.tick_params(axis="y", labelcolor=MUTED_TEXT, labelsize=9)

    bars = "" if figure.all() else "; bar: a threshold, shaded where figures agree with it"
    return Chart(
        title=_reproduced(rows.loc[rows["same_as"] == "", "verdict"]),  # one fact counts once
        subtitle=f"Cross: claimed{bars}; dot: official figure",
        alt=f"Dot chart of claimed and official figures in per cent. {told}.",
        data=frame,
        draw=draw,
        height=1.2 + max(0.62 if len(rows) < 9 else 0.5, tall) * len(rows),
        note="The official figure is that of the claim's own window and plainest definition, or, "
        "where only a reading gives the claim, of that reading.",
        source=FROM,
    )
