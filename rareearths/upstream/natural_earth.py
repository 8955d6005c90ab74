"""Country outlines for maps: Natural Earth 1:110m, from the npm package world-atlas, as one table.

Remake ``data/geo/country_outlines.csv`` with::

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python -m rareearths.upstream.natural_earth package/countries-110m.json data/geo/country_outlines.csv

Natural Earth is in the public domain, the package is under the ISC licence. The outlines show de facto
control as Natural Earth 4.1.0 draws it. That is no official position of any state and none of this book;
where an outline is disputed, the row says so in ``note``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

from rareearths.upstream import UpstreamError, fault

SOURCE_ID = "world_atlas_2_0_2"
COLUMNS = ["country_iso3", "name", "ring", "hole", "coordinates", "source_id", "locator", "note"]

DECIMALS = 2
"""0.01 degree is about 1 km at the equator, far below what a 1:110,000,000 outline can show."""

LEFT_OUT = {"010"}
"""Antarctica: no facts of this book lie there, and its outline cannot be drawn around the pole."""

_ISO3 = dict(
    pair.split(":")
    for pair in """
    004:AFG 008:ALB 012:DZA 024:AGO 031:AZE 032:ARG 036:AUS 040:AUT 044:BHS 050:BGD 051:ARM 056:BEL 064:BTN
    068:BOL 070:BIH 072:BWA 076:BRA 084:BLZ 090:SLB 096:BRN 100:BGR 104:MMR 108:BDI 112:BLR 116:KHM 120:CMR
    124:CAN 140:CAF 144:LKA 148:TCD 152:CHL 156:CHN 158:TWN 170:COL 178:COG 180:COD 188:CRI 191:HRV 192:CUB
    196:CYP 203:CZE 204:BEN 208:DNK 214:DOM 218:ECU 222:SLV 226:GNQ 231:ETH 232:ERI 233:EST 238:FLK 242:FJI
    246:FIN 250:FRA 260:ATF 262:DJI 266:GAB 268:GEO 270:GMB 275:PSE 276:DEU 288:GHA 300:GRC 304:GRL 320:GTM
    324:GIN 328:GUY 332:HTI 340:HND 348:HUN 352:ISL 356:IND 360:IDN 364:IRN 368:IRQ 372:IRL 376:ISR 380:ITA
    384:CIV 388:JAM 392:JPN 398:KAZ 400:JOR 404:KEN 408:PRK 410:KOR 414:KWT 417:KGZ 418:LAO 422:LBN 426:LSO
    428:LVA 430:LBR 434:LBY 440:LTU 442:LUX 450:MDG 454:MWI 458:MYS 466:MLI 478:MRT 484:MEX 496:MNG 498:MDA
    499:MNE 504:MAR 508:MOZ 512:OMN 516:NAM 524:NPL 528:NLD 540:NCL 548:VUT 554:NZL 558:NIC 562:NER 566:NGA
    578:NOR 586:PAK 591:PAN 598:PNG 600:PRY 604:PER 608:PHL 616:POL 620:PRT 624:GNB 626:TLS 630:PRI 634:QAT
    642:ROU 643:RUS 646:RWA 682:SAU 686:SEN 688:SRB 694:SLE 703:SVK 704:VNM 705:SVN 706:SOM 710:ZAF 716:ZWE
    724:ESP 728:SSD 729:SDN 732:ESH 740:SUR 748:SWZ 752:SWE 756:CHE 760:SYR 762:TJK 764:THA 768:TGO 780:TTO
    784:ARE 788:TUN 792:TUR 795:TKM 800:UGA 804:UKR 807:MKD 818:EGY 826:GBR 834:TZA 840:USA 854:BFA 858:URY
    860:UZB 862:VEN 887:YEM 894:ZMB
    """.split()
)
"""ISO 3166-1 numeric to alpha-3, for the outlines that the 1:110m file holds."""

_USER_ASSIGNED = {"Kosovo": "XKX", "Somaliland": "XSO", "N. Cyprus": "XNC"}
"""Outlines without an ISO code, under codes from the range that ISO 3166-1 leaves to users (XAA-XZZ)."""

_NO_ISO_CODE = "Outline of its own in Natural Earth; no ISO 3166-1 code, {} is a user-assigned one. Status disputed."
NOTES = {
    "RUS": "Drawn with Crimea and Sevastopol, which Russia and Ukraine both claim.",
    "UKR": "Drawn without Crimea and Sevastopol, which Russia and Ukraine both claim.",
    "MAR": "Drawn with the part of Western Sahara west of the berm; status of the territory disputed.",
    "ESH": "Only the part east of the berm is drawn; status of the territory disputed.",
    "ISR": "Drawn with the Golan Heights; status disputed.",
    "PSE": "Natural Earth names the outline Palestine; borders disputed.",
    "TWN": "Outline of its own in Natural Earth; status disputed.",
    "IND": "Kashmir is drawn along the lines of control; borders with Pakistan and China disputed.",
    "PAK": "Kashmir is drawn along the lines of control; border with India disputed.",
    "CHN": "Aksai Chin is drawn with China; border with India disputed. Taiwan is an outline of its own.",
    "BTN": "Too coarse at 1:110m: a part of the Tawang area falls inside this outline.",
    "SDN": "Drawn with Abyei; status disputed.",
    "SSD": "Drawn without Abyei; status disputed.",
    "SOM": "Drawn without Somaliland, which is an outline of its own; status disputed.",
    "SRB": "Drawn without Kosovo, which is an outline of its own; status disputed.",
    "CYP": "Drawn without the north of the island, which is an outline of its own; status disputed.",
    "FLK": "Administered by the United Kingdom and claimed by Argentina.",
    "FRA": "Drawn with French Guiana.",
    "MKD": "Named North Macedonia since 2019, after this edition of Natural Earth.",
    "XKX": _NO_ISO_CODE.format("XKX"),
    "XSO": _NO_ISO_CODE.format("XSO"),
    "XNC": _NO_ISO_CODE.format("XNC"),
}

TITLE = "Natural Earth country outlines (world-atlas)"
VALUE_COLUMNS = {"country_outlines": ["hole", "coordinates"]}
SCOPE_COLUMNS: dict[str, list[str]] = {"country_outlines": []}
"""One file covers the whole table."""
ORDER_COLUMNS = {"country_outlines": ["country_iso3", "ring"]}


Point = tuple[float, float]
Ring = list[Point]


def recognises(path: str | Path) -> bool:
    """Tell from a file's content whether it is a TopoJSON of countries."""
    try:
        with Path(path).open("rb") as stream:
            if stream.read(1) != b"{":
                return False
        return "countries" in _read(path)["objects"]
    except (OSError, UpstreamError):
        return False


def source_row(of: str) -> dict[str, str]:
    """Suggest what ``data/sources.csv`` should say of the outlines."""
    return {
        "source_id": of,
        "title": "world-atlas 2.0.2, pre-built TopoJSON from Natural Earth 4.1.0",
        "publisher": "Natural Earth; M. Bostock",
        "date": "2018",
        "edition": "2.0.2",
        "url_or_doi": "https://github.com/topojson/world-atlas",
        "licence": "public domain (data), ISC (package)",
        "strength": "official copy",
    }


def to_tables(path: str | Path, data_folder: str | Path) -> dict[str, pd.DataFrame]:
    """Give :func:`to_table` under the name of its table; the data folder is not needed."""
    del data_folder
    return {"country_outlines": to_table(path)}


def to_table(path: str | Path) -> pd.DataFrame:
    """Read ``countries-110m.json`` of world-atlas into one row a ring, without Antarctica.

    Returns:
        ``country_iso3``, ``name`` (Natural Earth's), ``ring`` (from 1 in each country), ``hole`` (true or
        false; a hole follows the ring it is cut from), ``coordinates`` ("lon lat,lon lat,...", degrees,
        closed, no ring crosses the 180th meridian), ``source_id``, ``locator``, ``note``; sorted by code.

    Raises:
        UpstreamError: the file is no such TopoJSON, or an outline has an id that is not in the list here.
    """
    topology = _read(path)
    arcs = _decode_arcs(topology)
    rows = []
    for geometry in topology["objects"]["countries"]["geometries"]:
        if geometry.get("id") not in LEFT_OUT:
            rows += _rows_of(geometry, arcs, path)
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(["country_iso3", "ring"], ignore_index=True)


def _read(path: str | Path) -> dict:
    try:
        topology = json.loads(Path(path).read_text(encoding="utf-8"))
        topology["objects"]["countries"]["geometries"], topology["transform"]["scale"], topology["arcs"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UpstreamError(
            f"{path} is no TopoJSON with the object 'countries' ({type(error).__name__}: {error}). "
            "Take countries-110m.json from `npm pack world-atlas@2.0.2`"
        ) from None
    return topology


def _decode_arcs(topology: dict) -> list[Ring]:
    """Undo TopoJSON's quantisation: each arc is integer steps, to be summed, scaled and moved."""
    (scale_x, scale_y), (move_x, move_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    decoded = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            points.append((x * scale_x + move_x, y * scale_y + move_y))
        decoded.append(points)
    return decoded


def _rows_of(geometry: dict, arcs: list[Ring], path: str | Path) -> list[list]:
    name = geometry["properties"]["name"]
    number = geometry.get("id")
    iso3 = _ISO3.get(number) or _USER_ASSIGNED.get(name)
    if iso3 is None:
        raise fault(path, f"object countries, id {number}", name, "a known ISO 3166-1 numeric code",
                    "Add it to the code list in rareearths/upstream/natural_earth.py")  # fmt: skip
    locator = f"{Path(path).name}, object countries, " + (f"id {number}" if number else f"name {name}, without id")
    polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    rows = []
    for polygon in polygons:
        for position, ring_arcs in enumerate(polygon):
            for ring in split_at_180(_stitch(ring_arcs, arcs)):
                text = _as_text(ring)
                if text:
                    rows.append(
                        [
                            iso3,
                            name,
                            len(rows) + 1,
                            "true" if position else "false",
                            text,
                            SOURCE_ID,
                            locator,
                            NOTES.get(iso3, ""),
                        ]
                    )
    return rows


def _stitch(ring_arcs: list[int], arcs: list[Ring]) -> Ring:
    """Join arcs to one closed ring; a negative number n means arc ~n, run backwards."""
    ring: Ring = []
    for number in ring_arcs:
        points = arcs[number] if number >= 0 else arcs[~number][::-1]
        ring += points[1:] if ring else points
    return ring


def split_at_180(ring: Ring) -> list[Ring]:
    """Cut a closed ring at the 180th meridian, so that no side of a part runs around the globe."""
    unrolled = _unroll(ring)
    longitudes = [longitude for longitude, _ in unrolled]
    turns = range(int((min(longitudes) + 180) // 360), int((max(longitudes) + 180 - 1e-9) // 360) + 1)
    parts = []
    for turn in turns:
        west, east = turn * 360 - 180, turn * 360 + 180
        part = _clip(_clip(unrolled, west, keep_east=True), east, keep_east=False)
        if len(part) > 3:
            parts.append([(longitude - turn * 360, latitude) for longitude, latitude in part])
    return parts


def _unroll(ring: Ring) -> Ring:
    """Let longitudes run on past 180 degrees instead of jumping by 360."""
    unrolled = [ring[0]]
    for longitude, latitude in ring[1:]:
        longitude += 360 * round((unrolled[-1][0] - longitude) / 360)
        unrolled.append((longitude, latitude))
    return unrolled


def _clip(ring: Ring, meridian: float, keep_east: bool) -> Ring:
    """Keep the part of a closed ring on one side of a meridian (Sutherland and Hodgman, 1974)."""

    def inside(point: Point) -> bool:
        return point[0] >= meridian if keep_east else point[0] <= meridian

    kept: Ring = []
    for start, end in zip(ring, ring[1:], strict=False):
        if inside(start):
            kept.append(start)
        if inside(start) != inside(end):
            share = (meridian - start[0]) / (end[0] - start[0])
            kept.append((meridian, start[1] + share * (end[1] - start[1])))
    return kept + kept[:1]


def _as_text(ring: Ring) -> str:
    """Write a ring as "lon lat,lon lat,..."; empty when rounding leaves no area."""
    texts = []
    for longitude, latitude in ring:
        text = f"{_short(longitude)} {_short(latitude)}"
        if not texts or texts[-1] != text:
            texts.append(text)
    return ",".join(texts) if len(texts) > 3 else ""


def _short(degrees: float) -> str:
    return f"{round(degrees, DECIMALS) + 0.0:.{DECIMALS}f}".rstrip("0").rstrip(".")


def main(argv: list[str]) -> int:
    """Write the table: ``natural_earth.py COUNTRIES_JSON TABLE_CSV``."""
    if len(argv) != 2:
        print("usage: python -m rareearths.upstream.natural_earth COUNTRIES_JSON TABLE_CSV")
        return 2
    try:
        table = to_table(argv[0])
    except UpstreamError as error:
        print(error)
        return 1
    table.to_csv(argv[1], index=False, encoding="utf-8", lineterminator="\n")
    print(f"{argv[1]}: {len(table)} rings of {table['country_iso3'].nunique()} outlines")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
