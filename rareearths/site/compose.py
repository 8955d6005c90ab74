"""Turn a drawing into a file that stands alone: title, unit, source and address around it, font inside it."""

from __future__ import annotations

import base64
import functools
import html
import re

from fontTools.ttLib import TTFont

from rareearths.publish import style

MARGIN = 16
PNG_SCALE = 300 / 96
"""300 dots an inch, where a CSS pixel is a ninety-sixth of an inch."""


def compose(drawing: str, title: str, subtitle: str, footer: list[str]) -> str:
    """Give one SVG, with its size in CSS pixels, of a drawing with its title above and its sources below."""
    width, height = (float(part) for part in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing).groups())
    full = width + 2 * MARGIN
    y = MARGIN
    parts = []
    for text, size, weight, ink, lead in (
        (title, 18, 600, style.INK, 24),
        (subtitle, 13, 400, style.MUTED, 18),
    ):
        for line in wrap(text, size, weight, width):
            y += lead
            parts.append(_line(line, y - 6, size, weight, ink.light))
    y += 8
    parts.append(drawing.replace("<svg ", f'<svg x="{MARGIN}" y="{y:g}" width="{width:g}" height="{height:g}" ', 1))
    y += height + 6
    for text in footer:
        for line in wrap(text, 11, 400, width):
            y += 15
            parts.append(_line(line, y, 11, 400, style.MUTED.light))
    y += MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{full:g}" height="{y:g}" viewBox="0 0 {full:g} {y:g}" '
        f'font-family="{style.FONT_FAMILY},sans-serif">'
        f"<title>{html.escape(title)}</title>{_FONT_PLACE}"
        f'<rect width="{full:g}" height="{y:g}" fill="{style.PAPER.light}"/>' + "".join(parts) + "</svg>\n"
    )


def with_font(svg: str) -> str:
    """Put the font into a composed SVG, so that it looks the same where the font is not installed."""
    return svg.replace(_FONT_PLACE, f"<defs><style>{_font_css()}</style></defs>")


def to_png(svg: str) -> bytes:
    """Draw a composed SVG at 300 dots an inch with the book's own font."""
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg.replace(_FONT_PLACE, ""),
            zoom=PNG_SCALE,
            skip_system_fonts=True,
            font_files=[str(path) for path in sorted(style.FONTS.glob("*.ttf"))],
            font_family=style.FONT_FAMILY,
            sans_serif_family=style.FONT_FAMILY,
        )
    )


def wrap(text: str, size: float, weight: int, width: float) -> list[str]:
    """Break a text into lines that fit the width, measured with the font that will draw it."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and text_width(longer, size, weight) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines


def text_width(text: str, size: float, weight: int = 400) -> float:
    """Give the width of a line of text in CSS pixels (sum of advance widths, without kerning)."""
    cmap, advances, units = _metrics("SemiBold" if weight >= 600 else "Regular")
    missing = advances[".notdef"][0]
    return size / units * sum(advances[cmap[ord(c)]][0] if ord(c) in cmap else missing for c in text)


_FONT_PLACE = "<!--font-->"


def _line(text: str, y: float, size: int, weight: int, colour: str) -> str:
    heavy = f' font-weight="{weight}"' if weight != 400 else ""
    return f'<text x="{MARGIN}" y="{y:g}" font-size="{size}"{heavy} fill="{colour}">{html.escape(text)}</text>'


@functools.cache
def _metrics(name: str):
    font = TTFont(style.FONTS / f"Inter-{name}.ttf")
    return font.getBestCmap(), font["hmtx"].metrics, font["head"].unitsPerEm


@functools.cache
def _font_css() -> str:
    rules = []
    for name, weight in (("Regular", 400), ("SemiBold", 600)):
        content = base64.b64encode((style.FONTS / f"Inter-{name}.woff2").read_bytes()).decode()
        rules.append(
            f"@font-face{{font-family:{style.FONT_FAMILY};font-weight:{weight};"
            f"src:url(data:font/woff2;base64,{content}) format('woff2')}}"
        )
    return "".join(rules)
