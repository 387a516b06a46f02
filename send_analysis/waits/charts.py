"""Waiting lists, drawn: each function takes a result and returns a chart, or one a service."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pandas as pd

from send_analysis.show.chart import Chart
from send_analysis.show.style import PALETTE, ROLES, RULE, TEXT, contrast, ink, label_ends
from send_analysis.waits import views
from send_analysis.waits.words_claims import elsewhere

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARK = PALETTE[3]
LIMIT = {"color": RULE, "linewidth": 1.3, "linestyle": (0, (5, 3))}
OUTER = LIMIT | {"linestyle": "-"}
MIDDLE = {"color": TEXT, "linewidth": 1.3}
OUTCOMES = {
    "second contact": PALETTE[0],
    "open, one contact": PALETTE[1],
    "open, no contact": PALETTE[3],
    "closed before treatment": PALETTE[2],
}
_POSITIONS = {"high": "above", "low": "below", "inside": "within"}  # the 99.8 per cent limits


def control(frame: pd.DataFrame) -> list[Chart]:
    """Control charts, one a service; `frame` as :func:`.views_control.charts` returns it."""
    return [_control(part) for _, part in frame.groupby("service", sort=False)]


def _control(frame: pd.DataFrame) -> Chart:
    """One service's control chart."""
    known = frame[frame["value"].notna()]
    first, last = known.iloc[0], known.iloc[-1]
    drawn = frame.drop(columns=["service", "organisation"]).set_index("month")
    signals = drawn[drawn["signal"] != ""]
    kinds = ", ".join(signals["signal"].unique())
    found = "no month stands out from the month-to-month noise"
    if len(signals):
        found = f"{len(signals)} of {len(known)} months signal more than noise ({kinds})"
    measure = f"hare of children waiting over 18 weeks, per cent, {first['organisation']}, "
    measure += f"{last['month']:%Y}"

    def draw(ax: Axes) -> None:
        for stretch, part in drawn.groupby("stretch"):
            for name, look in (("upper", LIMIT), ("mean", MIDDLE), ("lower", LIMIT)):
                label = name if name == "mean" else f"{name} limit"
                label = label if stretch == drawn["stretch"].max() else "_"
                _over_months(ax, part[name], label=label, **look)
        _over_months(ax, drawn["value"], marker="o", label="_", **ROLES["area"])
        _over_months(ax, signals["value"], marker="D", ls="", label="_", ms=10, mfc="none",
                     mec=MARK, mew=2.2, zorder=6)  # fmt: skip
        for month, point in signals.drop_duplicates("signal").iterrows():
            ax.annotate(
                point["signal"], (month, point["value"]), color=ink(MARK), fontsize=9,
                xytext=(6, 8 if point["side"] == "above" else -16), textcoords="offset points",
            )  # fmt: skip
        ax.margins(y=0.12)
        label_ends(ax, size=9)

    return Chart(
        title=f"{first['service'].capitalize()}: {found}",
        subtitle=f"S{measure}",
        alt=f"Control chart of {first['service']}, s{measure}: {_number(first['value'])} in "
        f"{first['month']:%B %Y}, {_number(last['value'])} in {last['month']:%B %Y}; mean "
        f"{_number(last['mean'])}, limits {_number(last['lower'])} to {_number(last['upper'])}. "
        f"Months with a signal of special cause: {len(signals)} ({kinds or 'none'}).",
        data=drawn.drop(columns="stretch").rename(index="{:%B %Y}".format),
        draw=draw,
        note="Limits allow for what carries over from month to month.",
    )


def _over_months(ax: Axes, values: pd.Series, **look: object) -> None:
    """Draw a series indexed by month on an axis of months."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    ax.plot(date2num(values.index), values, **look)  # names at line ends are placed by number
    locator = AutoDateLocator(maxticks=6)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def funnels(frame: pd.DataFrame) -> list[Chart]:
    """Boards' shares by the size of their lists, a chart a service, the area's board marked.

    `frame` as :func:`.views_control.boards` returns it.
    """
    return [_funnel(part) for _, part in frame.groupby("service", sort=False)]


def _funnel(frame: pd.DataFrame) -> Chart:
    """One service's funnel."""
    first, own = frame.iloc[0], frame[frame["own"]]
    low, high = (frame["share"].quantile(q) for q in (0.1, 0.9))
    title = (
        f"in four boards of five between {low:.0f} and {high:.0f} per cent of those on the list "
        "wait over 18 weeks"
    )
    named = ""
    for board in own.itertuples():
        told = _part(board.share, board.size)
        limits = f"{_POSITIONS[board.position]} the 99.8 per cent limits"
        title = (
            f"in {board.organisation} {told} wait over 18 weeks, {limits} for a list of its size"
        )
        named = f" {board.organisation}: {told}, {limits}."
    measure = (
        f"hare waiting over 18 weeks for {first['service']}, boards of England, "
        f"{first['month']:%B %Y}"
    )
    counts = frame["position"].value_counts()

    def draw(ax: Axes) -> None:
        by_size = frame.sort_values("size")
        for column, label, look in (
            ("upper_99_8", "99.8 % limit", OUTER),
            ("upper_95", "95 % limit", LIMIT),
            ("target", "all boards", MIDDLE),
            ("lower_95", "_", LIMIT),
            ("lower_99_8", "_", OUTER),
        ):
            ax.plot(by_size["size"], by_size[column], label=label, **look)
        ax.plot(by_size["size"], by_size["share"], "o", label="_", ms=6, mfc="none", mec=PALETTE[0],
                mew=1.4)  # fmt: skip
        for board in own.itertuples():
            ax.plot(board.size, board.share, "D", ms=9, color=MARK, zorder=6, label="_")
            side = 1 if board.size < frame["size"].max() / 2 else -1
            ax.annotate(board.organisation, (board.size, board.share), xytext=(9 * side, 9),
                        textcoords="offset points", color=ink(MARK), fontweight="bold",
                        ha="left" if side > 0 else "right")  # fmt: skip
        ax.set_ylim(-3, 103)
        ax.set_xlabel("Children on the list whose wait is known")
        ax.set_ylabel("Per cent")
        label_ends(ax, size=9)

    return Chart(
        title=f"{first['service'].capitalize()}: {title}",
        subtitle=f"S{measure}",
        alt=f"Funnel plot of s{measure}, {len(frame)} boards by size of list. All boards together "
        f"{first['target']:.0f} per cent; {counts.get('high', 0)} above and {counts.get('low', 0)} "
        f"below the 99.8 per cent limits.{named}",
        data=frame.drop(columns=["service", "month", "own"]),
        draw=draw,
    )


def _part(share: float, size: float) -> str:
    """Write the per cent of a list, or the children where that rounds to none or to all."""
    if round(share) in (0, 100):
        return f"{share * size / 100:.0f} of {size:,.0f}"
    return f"{share:.0f} per cent of {size:,.0f}"


def strips(frame: pd.DataFrame) -> list[Chart]:
    """Every change of a list beside the claimed one, a chart a service.

    `frame` as :func:`.views.changes` returns it.
    """
    return [_strip(part) for _, part in frame.groupby("service", sort=False)]


def _strip(frame: pd.DataFrame) -> Chart:
    """One service's changes, a row a measure."""
    service, area, claimed = frame[["service", "area", "claimed"]].iloc[0]
    summed = views.changed(frame)
    marks = frame[["measure", "change"]]
    told = "; ".join(
        f"{row.measure} from {row.lowest:+.0f} to {row.highest:+.0f}, half of them below "
        f"{row.middle:+.0f}"
        for row in summed.iloc[:-1].itertuples()
    )

    def draw(ax: Axes) -> None:
        import seaborn as sns

        shown = marks.assign(
            change=marks["change"].clip(-100, 150), measure=marks["measure"].str.capitalize()
        )
        sns.stripplot(
            shown, x="change", y="measure", ax=ax, jitter=False, marker="|", size=15, alpha=0.5,
            linewidth=1.4, color=PALETTE[0], rasterized=True,  # a thousand marks
        )  # fmt: skip
        ax.axvline(0, **MIDDLE)
        ax.axvline(claimed, color=MARK, linewidth=2.4)
        side, offset = ("right", -5) if claimed > -65 else ("left", 5)
        ax.annotate(
            f"claimed {claimed:+.0f} %".replace("-", "−"), (claimed, -0.4), xytext=(offset, 0),
            textcoords="offset points", color=ink(MARK), fontweight="bold", ha=side,
        )  # fmt: skip
        ax.set_xlim(-104, 154)
        ax.set_xlabel("Change, per cent (above 150 drawn at 150)")
        ax.set_ylabel("")

    reached, every = summed.iloc[-1][["as_claimed", "changes"]]
    return Chart(
        title=f"{service.capitalize()}: a fall of {abs(claimed):g} % or more in {reached} of "
        f"{every} comparisons of two months",
        subtitle="Changes between any two months of the lists known then, provider and board of "
        f"{area}",
        alt=f"Strip chart of changes between any two months, provider and board of {area}, per "
        f"cent; claimed {claimed:+.0f}. {told}.",
        data=summed,
        draw=draw,
        height=3.6,
        note=elsewhere(service, claimed),
        source=views.CLAIMED,
    )


def projection(frame: pd.DataFrame) -> Chart:
    """One list week by week under three capacities; `frame` as :func:`.views.futures` has it."""
    first, end = frame.iloc[0], frame[frame["week"] == frame["week"].max()]
    paths = frame[["future", "week", "quantile", "size"]]
    target, extra = first["target_size"], first["extra_a_week"]
    title = "The list falls fast enough already to be at its target in a year"
    if extra > 0:
        title = f"At most {extra:,.0f} more children a week bring the list to target in a year"
    subtitle = f"Children waiting for {first['service']}, {first['organisation']}, by week"
    told = "; ".join(
        f"{name}: {size[0.5]:,.0f} children after {end['week'].iloc[0]} weeks (four draws in five "
        f"between {size[0.1]:,.0f} and {size[0.9]:,.0f})"
        for name, size in end.set_index("quantile").groupby("future", sort=False)["size"]
    )

    def draw(ax: Axes) -> None:
        for (name, path), role in zip(
            paths.groupby("future", sort=False), ("area", "england", "region"), strict=False
        ):
            by = path.pivot(index="week", columns="quantile", values="size")
            ax.fill_between(by.index, by[0.1], by[0.9], color=ROLES[role]["color"], alpha=0.2, lw=0)
            ax.plot(by.index, by[0.5], label=name, **ROLES[role])
        ax.plot([0, paths["week"].max()], [target, target], label="target size", **LIMIT)
        ax.set_ylim(bottom=0)
        ax.set_xlabel("Weeks")
        ax.set_ylabel("Children waiting")
        label_ends(ax)

    return Chart(
        title=title,
        subtitle=subtitle,
        alt=f"Line chart of {subtitle[0].lower()}{subtitle[1:]}. {told}. Target size "
        f"{target:,.0f}.",
        data=paths,
        draw=draw,
        note="Simulated, 1,000 draws.",
    )


def later(frame: pd.DataFrame) -> list[Chart]:
    """Shares of long waits in the later lists, a chart a service.

    `frame` as :func:`.views_since.charted` returns it.
    """
    return [_later(part) for _, part in frame.groupby("service", sort=False)]


def _later(frame: pd.DataFrame) -> Chart:
    """One service's later shares, a line an organisation; months without one are gaps."""
    service, measure = frame[["service", "measure"]].iloc[0]
    drawn = frame.dropna(subset="share").groupby("organisation", sort=False)
    lines = frame[["organisation", "level", "month", "waiting", "share"]]
    told = "; ".join(
        f"{name}: {rows['share'].iloc[0]:.1f} in {rows['month'].iloc[0]:%B %Y}, "
        f"{rows['share'].iloc[-1]:.1f} in {rows['month'].iloc[-1]:%B %Y}"
        for name, rows in drawn
    )

    def draw(ax: Axes) -> None:
        looks = ROLES | {"provider": ROLES["area"], "icb": {"color": MARK, "linewidth": 1.6}}
        for name, rows in lines.groupby("organisation", sort=False):
            if rows["share"].notna().any():
                look = looks[rows["level"].iloc[0]] | {"marker": "o", "markersize": 4}
                _over_months(ax, rows.set_index("month")["share"], label=_short(name), **look)
        ax.set_ylim(bottom=0)
        ax.set_ylabel("Per cent")
        label_ends(ax, size=9)

    return Chart(
        title=f"{service.capitalize()}, {measure}: {_ends(frame)}",
        subtitle=f"Waiting {measure}, per cent of children whose wait is known, {service}",
        alt=f"Line chart of the per cent waiting {measure}, {service}, by month. {told}.",
        data=frame[["organisation", "month", "waiting", "share"]].rename(
            columns={"share": measure}
        ),
        draw=draw,
        note="Months without a figure are left open.",
    )


def _ends(frame: pd.DataFrame) -> str:
    """Say where the nearest list and England's stood: both ends where these can be compared."""
    both = frame.dropna(subset="waiting").groupby("organisation", sort=False)
    ends = both.nth([0, -1]).groupby("organisation", sort=False)
    known = [rows for _, rows in ends if rows["share"].notna().all()]
    months, told = list(known[-1]["month"]), {}
    for rows in (known[0], known[-1]):
        first, last = rows["share"].iloc[[0, -1]]
        same = rows["comparable"].iloc[0] and list(rows["month"]) == months
        told[_short(rows["organisation"].iloc[0])] = (
            f"{first:.1f} → {last:.1f} %"
            if same
            else f"{last:.1f} % in {rows['month'].iloc[-1]:%B %Y}"
        )
    return ", ".join(f"{name} {figures}" for name, figures in told.items())


def services(frame: pd.DataFrame) -> Chart:
    """The share over 18 weeks on every list of a children's service, beside England's.

    `frame` as :func:`.views_since.services` returns it.
    """
    by = frame.pivot(index="service", columns="organisation", values="over 18 weeks")
    by = by[frame["organisation"].unique()[::-1]]  # the board, then its providers
    by["England"] = frame.groupby("service")["over 18 weeks in England"].first()
    board = by.columns[0]
    own = by[board].sort_values(ascending=False).dropna()
    told = "; ".join(f"{name} {value:.0f} (England {by.at[name, 'England']:.0f})"
                     for name, value in own.items())  # fmt: skip
    rows = by.loc[[*own.index, *by.index.difference(own.index)]].dropna(how="all")

    def draw(ax: Axes) -> None:
        import seaborn as sns

        names = [textwrap.fill(_short(name), 12) for name in rows]
        sns.heatmap(
            rows, ax=ax, cmap=sns.light_palette(PALETTE[1], as_cmap=True), vmin=0,
            vmax=140,  # so that 100 is light enough for dark type
            annot=True, fmt=".0f", linewidths=1.5, cbar=False, xticklabels=names,
            yticklabels=[textwrap.fill(name, 40) for name in rows.index],
        )  # fmt: skip
        ax.xaxis.tick_top()
        ax.tick_params(length=0, labelsize=9)
        ax.grid(visible=False)
        ax.set(xlabel="", ylabel="")

    return Chart(
        title=f"{own.index[0]}: in {_short(board)} {own.iloc[0]:.0f} % wait over 18 weeks, the "
        f"most of its {len(own)} children's services whose waits are known",
        subtitle="Waiting over 18 weeks, per cent of children whose wait is known, "
        f"{frame['month'].iloc[0]:%B %Y}",
        alt=f"Heat map of the per cent waiting over 18 weeks by service and organisation. {board}: "
        f"{told}.",
        data=frame[["service", "organisation", "over 18 weeks", "over 18 weeks in England"]],
        draw=draw,
        height=1.2 + 0.34 * len(rows),
        note="White: no list, or no wait is known of it.",
    )


def _short(name: str) -> str:
    """Name of an organisation without what all of its kind are called."""
    return name.removesuffix(" NHS Foundation Trust").removesuffix(" NHS Trust")


def outcomes(frame: pd.DataFrame) -> Chart:
    """What became of the children referred to mental health services, a bar a year and place.

    `frame` as :func:`.mental_health.referred` returns it.
    """
    last = frame.groupby("level").last()
    never = (last["closed before treatment"] + last["open, no contact"]).map("{:.0f}".format)
    year = frame["year"].max()
    title = f"{never['england']} of 100 children referred in {year} were closed or not seen"
    if "group" in never:
        title = (
            f"{never['group']} of 100 children referred in {year} were closed before treatment or "
            f"not seen, {never['england']} in England"
        )
    told = "; ".join(
        f"{row['year']}, {row['organisation']}: "
        + ", ".join(f"{outcome} {row[outcome]:.0f}" for outcome in OUTCOMES)
        for _, row in frame.iterrows()
    )
    names = {"england": "England", "region": "region", "group": "area"}  # from the bottom up
    bars = frame.sort_values("level", key=lambda level: level.map(list(names).index))
    bars = bars.sort_values("year", ascending=False, kind="stable")
    bars = bars.set_index(bars["year"] + ", " + bars["level"].map(names))[list(OUTCOMES)]

    def draw(ax: Axes) -> None:
        bars.plot.barh(stacked=True, ax=ax, color=OUTCOMES, width=0.72)
        for container, colour in zip(ax.containers, OUTCOMES.values(), strict=True):
            ax.bar_label(container, fmt="%.0f", label_type="center", fontsize=9,
                         color="white" if contrast(colour) >= 4.5 else TEXT)  # fmt: skip
        ax.set_xlim(0, 100)
        ax.grid(visible=False)
        ax.set(xlabel="Per cent of the children referred", ylabel="")
        ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=2, fontsize=9)

    measure = "hildren referred to mental health services, per cent, by outcome at the end of the "
    return Chart(
        title=title,
        subtitle=f"C{measure}year",
        alt=f"Stacked bars of c{measure}year. {told}.",
        data=frame.drop(columns="level"),
        draw=draw,
    )


def _number(value: float) -> str:
    """Write a number with as many digits as it deserves."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"
