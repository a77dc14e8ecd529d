"""How pictures look: drawn once by matplotlib, for the page and as PNG.

On the page a picture has the page's own colours and letters: the colours of `INK`
and the others stand in matplotlib's SVG as they are in the light, and are replaced
by the CSS variables of page.css, which know the dark too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import Locator, MaxNLocator

from hil.reports.provenance import require
from targets import storage

PAPER, INK, MUTED, GRID = "#ffffff", "#1b2430", "#596573", "#dde2e8"
HEAT, ON_HEAT = "#08407a", "#fefefe"
SERIES = ("#0072b2", "#d55e00", "#008f68", "#a83279", "#9a7400", "#4d4d4d")
"""Told apart without colour vision too (after Okabe and Ito), and by `DASHES`."""
DASHES = ("-", (0, (5, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.5, 1.4, 1.5)))
VARIABLES = {
    PAPER: "--paper", INK: "--ink", MUTED: "--muted", GRID: "--grid",
    HEAT: "--heat", ON_HEAT: "--on-heat",
    **{colour: f"--c{number}" for number, colour in enumerate(SERIES)},
}  # fmt: skip
WIDTH, HEIGHT = 4.6, 2.75
"""Inches of a picture; a column of the page, and of a phone."""
DPI_PNG = 200
LETTERS = 10.0
LINE = 0.19
"""Inches of a line of a legend."""
DARK_FROM = 0.65
"""Share of `HEAT` from which letters on it are light."""
STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "hil", "text.parse_math": False,
    "font.size": LETTERS, "axes.titlesize": LETTERS, "axes.labelsize": LETTERS,
    "xtick.labelsize": LETTERS - 0.8, "ytick.labelsize": LETTERS - 0.8,
    "legend.fontsize": LETTERS - 0.5, "legend.frameon": False,
    "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER,
    "text.color": INK, "axes.labelcolor": MUTED, "axes.edgecolor": MUTED,
    "xtick.color": MUTED, "ytick.color": MUTED, "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED, "grid.color": GRID, "grid.linewidth": 0.7,
    "axes.grid": True, "axes.axisbelow": True, "axes.linewidth": 0.7,
    "axes.spines.top": False, "axes.spines.right": False, "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round", "axes.formatter.useoffset": False,
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A picture with what it shows, and how its figures were obtained.

    `name` is that of its PNG, `note` a sentence below it, `series` its legend: name
    and place of a colour. Raises `UsageError` without a known kind.
    """

    name: str
    title: str
    note: str
    kinds: tuple[str, ...]
    figure: Figure
    wide: bool = False

    def __post_init__(self) -> None:
        require(self.kinds, f"picture {self.title!r}")

    def svg(self) -> Markup:
        """For the page; needs nothing but page.css."""
        text = io.StringIO()
        bare = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        self.figure.patch.set_visible(False)
        with styled():  # not savefig, which draws everything twice
            FigureCanvasSVG(self.figure).print_svg(text, metadata=bare)
        return Markup(_for_page(text.getvalue(), self.name))

    def png(self, folder: Path) -> Path:
        """Write it into `folder`, in the colours of the light."""
        path = folder / f"{self.name}.png"
        self.figure.patch.set_visible(True)
        with styled():
            FigureCanvasAgg(self.figure)
            made = io.BytesIO()
            self.figure.savefig(made, format="png", dpi=DPI_PNG, bbox_inches="tight")
        return storage.write(path, made.getvalue())


@contextmanager
def styled() -> Iterator[None]:
    """Our settings of matplotlib, and those before again."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def _for_page(svg: str, name: str) -> str:
    """The <svg> element alone: no address of a name space (HTML knows them), its
    ids unlike those of other pictures, colours and letters the page's."""
    start = svg.index("<svg")
    svg = svg[start:]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'(\bid=")', rf"\g<1>{name}-", svg)
    svg = re.sub(r'((?:xlink:)?href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = svg.replace("<svg ", '<svg aria-hidden="true" ', 1)
    return re.sub(r'style="[^"]*"', lambda style: _style(style[0]), svg)


def _style(style: str) -> str:
    style = re.sub(r"'DejaVu Sans'.*?sans-serif", "var(--sans)", style)
    return re.sub(
        r"#[0-9a-f]{6}",
        lambda colour: (
            f"var({VARIABLES[colour[0]]})" if colour[0] in VARIABLES else colour[0]
        ),
        style,
    )


def canvas(
    height: float = HEIGHT,
    columns: int = 1,
    rows: int = 1,
    width: float = WIDTH,
    widths: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """An empty picture of this many panels, laid out when it is saved; `widths` are those
    of columns, in proportion."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, width_ratios=widths)
    return figure, list(axes.ravel())


def colour(place: int) -> str:
    """Of the series with this number from 0."""
    return SERIES[place % len(SERIES)]


def dash(place: int) -> str | tuple[int, tuple[float, ...]]:
    """Line style of the series with this number: no two within 12 are alike in both."""
    return DASHES[place % len(DASHES)]


def legend(figure: Figure, names: Sequence[str]) -> None:
    """Above the axes, where it hides nothing; none for a single line. The picture
    grows with its rows."""
    if len(names) < 2:
        return
    longest = max(map(len, names))
    columns = max(1, min(len(names), 4, 58 // (longest + 6)))
    rows = -(-len(names) // columns)
    figure.set_figheight(figure.get_figheight() + LINE * (rows - 1))
    figure.legend(loc="outside upper left", ncols=columns, handlelength=2.2)


def few_ticks() -> Locator:
    """Round numbers that have room side by side."""
    return MaxNLocator(5, integer=True, steps=[1, 2, 2.5, 5, 10])


def short(text: str, most: int) -> str:
    """At most so many characters of a name."""
    return text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


def cells(
    axes: Axes,
    values: Sequence[Sequence[float | None]],
    show: Callable[[float], str],
    most: float = 1.0,
) -> None:
    """A heat map whose colours are shares of `HEAT`, so that it is right on any
    paper: rows down, columns across; None is an empty cell."""
    from matplotlib.patches import Rectangle

    rows, columns = len(values), max(map(len, values))
    small = max(rows, columns) > 12
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            if value is None:
                continue
            share = min(max(value / most, 0.0), 1.0) if most else 0.0
            axes.add_patch(
                Rectangle((column, row), 1, 1, facecolor=HEAT, alpha=share, linewidth=0)
            )
            if not small and (text := show(value)):
                axes.text(
                    column + 0.5, row + 0.5, text, ha="center", va="center",
                    color=ON_HEAT if share > DARK_FROM else INK, fontsize=LETTERS - 1.5,
                )  # fmt: skip
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    axes.grid(False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
