"""Figures written as SVG, each text measured and laid out once: pages repeat years and names."""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.ft2font import FT2Font

MOST_TEXTS = 20_000  # kept: about 20 MB
DPI = 72  # of an SVG: one unit is a point


def svg(figure: Figure) -> bytes:
    """Write a figure as SVG, as matplotlib's own canvas does, byte for byte.

    Notes
    -----
    Not `savefig`, which draws everything once more only to lay it out; and its layout measures
    with the renderer that draws.
    """
    file = io.StringIO()
    dpi, figure.dpi = figure.dpi, DPI
    width, height = figure.get_size_inches()
    none = {"Date": None, "Creator": None}
    vector = _Renderer(width * DPI, height * DPI, file, image_dpi=dpi, metadata=none)
    renderer = MixedModeRenderer(figure, width, height, dpi, vector)
    FigureCanvasSVG(figure).get_renderer = lambda: renderer
    figure.draw(renderer)
    renderer.finalize()
    return file.getvalue().encode()


class _Texts(TextToPath):
    """Texts as outlines, kept."""

    @lru_cache(MOST_TEXTS)  # noqa: B019 (there is one, as long as the process)
    def heights(self, prop: FontProperties) -> tuple[float | None, ...]:
        """Ascent, descent and gap of a font's lines, in points, as `Text` reads them anew."""
        font = self._get_font(prop)
        table = font.get_sfnt_table("OS/2")
        if table is None:
            return None, None, None
        size = prop.get_size_in_points()
        scale = 1 / font.get_sfnt_table("head")["unitsPerEm"] * size * DPI / 72
        names = "sTypoAscender", "sTypoDescender", "sTypoLineGap"
        ascent, descent, gap = (table[name] * scale for name in names)
        return ascent, -descent, gap

    @lru_cache(MOST_TEXTS)  # noqa: B019
    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: Any
    ) -> tuple[float, float, float]:
        return super().get_text_width_height_descent(s, prop, ismath)

    def get_glyphs_with_font(
        self,
        font: FT2Font,
        s: str,
        glyph_map: dict | None = None,
        return_new_glyphs_only: bool = False,
        **options: Any,
    ) -> tuple[list, dict, list]:
        places, glyphs = self._laid_out(font, s, tuple(options.items()))
        new = {name: path for name, path in glyphs.items() if name not in (glyph_map or ())}
        return places, new if return_new_glyphs_only else {**(glyph_map or {}), **new}, []

    @lru_cache(MOST_TEXTS)  # noqa: B019
    def _laid_out(self, font: FT2Font, s: str, options: Iterable) -> tuple[list, dict]:
        """Places of a text's glyphs, and their outlines by name."""
        return super().get_glyphs_with_font(font, s, **dict(options))[:2]


_TEXTS = _Texts()


class _Renderer(RendererSVG):
    """Matplotlib's renderer with texts that are kept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._text2path = _TEXTS

    def _get_font_height_metrics(self, prop: FontProperties) -> tuple[float | None, ...]:
        return _TEXTS.heights(prop.copy())
