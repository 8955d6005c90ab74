"""Make matplotlib's SVG small, the same on every run, and safe to stand inside a page.

matplotlib wraps each mark in named groups, writes six decimals, and puts a style rule for ``*`` in the
picture, which inside an HTML page would apply to the whole page. What comes out here has presentation
attributes only, coordinates to a tenth of a pixel, and no ids but those that something refers to.
"""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree as ET

from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
TIP_PREFIX = "tip::"
"""A mark whose ``gid`` starts so gets the rest of it as its tooltip."""

_NUMBER = re.compile(r"-?\d*\.\d+(?:e-?\d+)?")
_PATH_TOKEN = re.compile(r"[MLQCZz]|-?\d*\.?\d+(?:e-?\d+)?")
_NO_TURN = re.compile(r"^rotate\(-?0(\.0+)? [^)]*\)$")
_DEFAULTS = {
    "stroke-linejoin": "round",
    "stroke-linecap": "butt",
    "stroke-width": "1",
    "stroke-miterlimit": "100000",
    "opacity": "1",
    "text-anchor": "start",
}

ET.register_namespace("", SVG)


def to_svg(figure: Figure) -> str:
    """Draw a matplotlib figure as one compact SVG string, without XML header, its size in ``viewBox`` only."""
    figure.draw_without_rendering()  # lays the parts out, once; saving would do so twice more
    figure.set_layout_engine("none")
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    root = ET.fromstring(out.getvalue())
    for child in list(root):
        if child.tag == f"{{{SVG}}}metadata":
            root.remove(child)
    _drop_style_rules(root)
    used = _referred_ids(root)
    _tidy(root, used)
    _drop_background(root)
    _colour_markers_where_used(root)
    new = ET.Element(
        f"{{{SVG}}}svg",
        {
            "viewBox": root.get("viewBox"),
            "font-family": "Inter,system-ui,sans-serif",
            "stroke-linejoin": "round",
        },
    )
    new.extend(root)
    return ET.tostring(new, encoding="unicode").replace(" />", "/>")


def _drop_style_rules(root: ET.Element) -> None:
    for parent in root.iter():
        for child in list(parent):
            if child.tag == f"{{{SVG}}}defs" and child.find(f"{{{SVG}}}style") is not None:
                parent.remove(child)


def _drop_background(root: ET.Element) -> None:
    """Take out the figure's own background, an unpainted path that matplotlib draws first."""
    for child in list(root):
        if child.tag == f"{{{SVG}}}path" and child.get("fill") == "none" and not child.get("stroke"):
            root.remove(child)


def _colour_markers_where_used(root: ET.Element) -> None:
    """Take colours out of the definition of a marker where each use repeats them: the page turns those for dark mode."""
    uses: dict[str, list[ET.Element]] = {}
    for use in root.iter(f"{{{SVG}}}use"):
        uses.setdefault(use.get("href", "")[1:], []).append(use)
    for path in root.iter(f"{{{SVG}}}path"):
        its_uses = uses.get(path.get("id", ""), [])
        for key in ("stroke", "stroke-width"):
            if its_uses and key in path.attrib and all(use.get(key) == path.get(key) for use in its_uses):
                del path.attrib[key]


def _referred_ids(root: ET.Element) -> set[str]:
    used = set()
    for element in root.iter():
        href = element.get(f"{{{XLINK}}}href")
        if href:
            used.add(href[1:])
        for value in (element.get("clip-path", ""), element.get("style", "")):  # a hatch is a fill by reference
            used.update(re.findall(r"url\(#([^)]+)\)", value))
    return used


def _tidy(parent: ET.Element, used: set[str]) -> None:
    children = []
    for child in list(parent):
        _tidy_attributes(child, used)
        tip = child.attrib.pop("__tip", None)
        _tidy(child, used)
        if tip is not None:
            title = ET.Element(f"{{{SVG}}}title")
            title.text = tip
            child.insert(0, title)
        is_group = child.tag in (f"{{{SVG}}}g", f"{{{SVG}}}defs")
        if is_group and not len(child):
            continue
        if child.tag == f"{{{SVG}}}path" and child.get("fill") == "none" and "stroke" not in child.attrib:
            continue
        if child.tag == f"{{{SVG}}}g" and not child.attrib and tip is None:
            children.extend(child)
        else:
            children.append(child)
    for child in list(parent):
        parent.remove(child)
    for child in children:
        child.tail = None
        parent.append(child)
    if parent.text and not parent.text.strip():
        parent.text = None


def _tidy_attributes(element: ET.Element, used: set[str]) -> None:
    attributes = dict(element.attrib)
    element.attrib.clear()
    name = attributes.pop("id", "")
    if name in used:
        element.set("id", name)
    elif name.startswith(TIP_PREFIX):
        element.set("__tip", name[len(TIP_PREFIX) :])
    for pair in attributes.pop("style", "").split(";"):
        key, _, value = pair.partition(":")
        key, value = key.strip(), value.strip()
        if not key or key == "font-family" or _DEFAULTS.get(key) == value:
            continue
        if key == "font":  # "600 13px 'Inter'": weight and size only
            weight, size = re.match(r"(?:(\d+|bold|normal)\s+)?([\d.]+)px", value).groups()
            if weight:
                element.set("font-weight", weight)
            element.set("font-size", _short(size))
            continue
        element.set(key, _short(value.removesuffix("px")) if key != "fill" else value)
    for key, value in attributes.items():
        if key == "transform" and _NO_TURN.match(value):
            continue
        if key == f"{{{XLINK}}}href":
            key = "href"
        if key == "d":
            value = _short_path(value)
        elif key != "clip-path" and not key.startswith("{"):
            value = _short(value)
        element.set(key, value)


def _short(text: str) -> str:
    return _NUMBER.sub(lambda match: _decimal(float(match[0])), text)


def _decimal(value: float) -> str:
    text = f"{value:.1f}"
    if text.endswith(".0"):
        text = text[:-2]
    if text.startswith(("0.", "-0.")):
        text = text.replace("0.", ".", 1)
    return "0" if text == "-0" else text


def _short_path(d: str) -> str:
    """Write a path with relative steps; steps are differences of rounded points, so that nothing drifts."""
    tokens = _PATH_TOKEN.findall(d)
    out: list[str] = []
    at = (0.0, 0.0)
    start = (0.0, 0.0)
    last = ""
    position = 0
    while position < len(tokens):
        command = tokens[position]
        if command in "Zz":
            out.append("z")
            at, last = start, "z"
            position += 1
            continue
        pairs = {"M": 1, "L": 1, "Q": 2, "C": 3}[command]
        numbers = [round(float(token), 1) for token in tokens[position + 1 : position + 1 + 2 * pairs]]
        position += 1 + 2 * pairs
        points = list(zip(numbers[::2], numbers[1::2]))
        if command == "M":
            out.append("M" + _join(points[0]))
            start = points[0]
        else:
            if command == "L" and points[0] == at:
                continue
            steps = "".join(_join((x - at[0], y - at[1]), joined=True) for x, y in points)
            letter = command.lower()
            out.append((letter if last != command else "") + (steps if last == command else steps.lstrip()))
        at, last = points[-1], command
    return "".join(out)


def _join(point: tuple[float, float], joined: bool = False) -> str:
    x, y = _decimal(point[0]), _decimal(point[1])
    return (" " if joined and not x.startswith("-") else "") + x + ("" if y.startswith("-") else " ") + y
