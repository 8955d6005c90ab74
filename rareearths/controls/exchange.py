"""The record of policy for other programs: controls and measures as JSON with their schemas, days ahead as iCalendar."""

from __future__ import annotations

import datetime

import pandas as pd

from rareearths import controls, data

CONTROL_FIELDS = {
    "measure_id": "permanent number of the measure that brought it, a key of measures",
    "element": "symbol",
    "stage": "stage of the chain, as listed in stages",
    "object": "goods, technology, equipment, or output of domestic firms",
    "object_detail": "what the object is more closely",
    "instrument": "name of the instrument",
    "severity": "prohibition, licence, quota, duty or reporting",
    "document_no": "number of the document",
    "control_code": "code in the catalogue, list or annex",
    "targets": "destinations or persons",
    "effective_from": "first day, month or year on which it applied or was to apply",
    "effective_to": "first day on which it no longer applied; null while it has not ended",
    "suspended_from": "first day of the suspension",
    "suspended_to": "last day of the suspension by the legal text",
    "suspended_to_reported": "later last day that is reported without a legal text",
    "inference": "what was set for this report and not said by the document",
    "flag": "what to be careful about, in the words of the code list of flags",
    "source_id": "a key of sources",
    "locator": "place in the source",
}
"""Fields of a control in the JSON, with what they say."""

MEASURE_FIELDS = {
    "measure_id": "permanent number",
    "date_announced": "day, month or year in which it was made public",
    "date_effective": "from when it applied or is to apply",
    "date_ended": "when it ended or is to end",
    "actor": "who took it",
    "instrument": "kind of instrument",
    "document_no": "number or name of the document",
    "title": "the measure in a few words",
    "elements": "symbols joined by semicolons",
    "stages": "stages joined by semicolons",
    "objects": "goods, technology, equipment joined by semicolons",
    "severity": "what the document does",
    "eases": "true where it removes, exempts from, suspends or facilitates",
    "targets": "at whom it is aimed",
    "summary": "the measure in a sentence or two",
    "document_url": "address of the document or of a page that reports it",
    "date_conflict": "other days that texts give",
    "evidence": "two texts, one official text, one secondary text, or unconfirmed",
    "source_id": "a key of sources",
    "locator": "place in the source",
}
"""Fields of a measure in the JSON, with what they say."""


def controls_json() -> dict:
    """Give the whole matrix: every control with its dates, the measures and sources it leads to, and the words used."""
    rows = data.load("controls")
    measures = data.load("measures").set_index("measure_id")
    named = {
        name: {"title": measures.loc[name, "title"], "url": _plain(measures.loc[name, "document_url"])}
        for name in sorted(set(rows["measure_id"]))
    }
    return {
        "title": data.describe("controls")["title"],
        "record": _record(),
        "elements": controls.elements(),
        "stages": controls.stages(),
        "statuses": controls.STATUSES,
        "severities": list(controls.SEVERITIES),
        "objects": list(controls.OBJECTS),
        "measures": named,
        "sources": _sources(rows),
        "controls": _listed(rows, CONTROL_FIELDS),
    }


def timeline_json() -> dict:
    """Give every measure of the record with its dates, scope and document."""
    rows = data.load("measures")
    return {
        "title": data.describe("measures")["title"],
        "record": {**_record(), "from": str(rows["date_announced"].min())[:4]},
        "sources": _sources(rows),
        "measures": _listed(rows, MEASURE_FIELDS),
    }


def schema(of: str) -> dict:
    """Give the JSON Schema of ``controls`` or ``timeline``."""
    fields, key = {"controls": (CONTROL_FIELDS, "controls"), "timeline": (MEASURE_FIELDS, "measures")}[of]
    kinds = {"eases": ["boolean"]}
    always = ("measure_id", "element", "stage", "object", "instrument", "severity", "source_id", "evidence", "actor")
    entry = {
        "type": "object",
        "properties": {
            name: {"description": text, "type": kinds.get(name, ["string"] if name in always else ["string", "null"])}
            for name, text in fields.items()
        },
        "required": list(fields),
        "additionalProperties": False,
    }
    text = {"type": "string"}
    listed = {"type": "array", "items": text}
    named = {"type": "object", "additionalProperties": {"type": "object"}}
    properties = {
        "title": text,
        "record": {"type": "object", "properties": {"from": text, "to": text}, "required": ["from", "to"]},
        "sources": named,
        key: {"type": "array", "items": entry},
    }
    if of == "controls":
        properties |= {name: listed for name in ("elements", "stages", "severities", "objects")}
        properties |= {"statuses": {"type": "object", "additionalProperties": text}, "measures": named}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": data.describe("controls" if of == "controls" else "measures")["title"],
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def days_ahead() -> pd.DataFrame:
    """List the dated events after the last day of the record: what starts, and the last day of what ends.

    Returns:
        Columns day, what (starts or ends), measure_id, actor, title, summary, evidence, document_url, reported (the day
        is reported and no legal text shows it), sorted by day.
    """
    rows = data.load("measures")
    rows = rows[~rows["measure_id"].str.startswith("U")]
    reported = set(data.load("controls")["extended_by_measure_id"].dropna())
    found = []
    for column, what in (("date_effective", "starts"), ("date_ended", "ends")):
        ahead = rows[rows[column].str.len().eq(10) & rows[column].gt(str(controls.RECORD_TO))]
        part = ahead[["measure_id", "actor", "title", "summary", "evidence", "document_url"]]
        found.append(part.assign(day=ahead[column], what=what))
    events = pd.concat(found)
    events["reported"] = events["measure_id"].isin(reported)
    return events.sort_values(["day", "measure_id", "what"], ignore_index=True)


def calendar(address: str = "") -> str:
    """Give the days ahead as an iCalendar file (RFC 5545), one all-day event each.

    Args:
        address: page whose anchor ``#measure-...`` an event leads to; where it is empty, the document itself.
    """
    stamp = f"{controls.RECORD_TO:%Y%m%d}T000000Z"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Rare earths report//Days ahead//EN", "CALSCALE:GREGORIAN"]
    lines += ["X-WR-CALNAME:Rare earths: days ahead in the record of policy"]
    for event in days_ahead().itertuples():
        day = datetime.date.fromisoformat(event.day)
        note = f"{event.summary} Evidence: {event.evidence}. As known on {controls.RECORD_TO}."
        if event.reported:
            note += " The day is reported; no legal text shows it."
        url = f"{address}#measure-{event.measure_id.lower()}" if address else _plain(event.document_url)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{event.measure_id.lower()}-{event.what}-{event.day}@rare-earths-report",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{day + datetime.timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(f'{event.title} ({event.actor}): ' + ('takes effect' if event.what == 'starts' else 'last day'))}",
            f"DESCRIPTION:{_escaped(note)}",
            *([f"URL:{url}"] if url else []),
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) + "\r\n" for line in lines)


def _record() -> dict[str, str]:
    return {"from": str(controls.RECORD_FROM), "to": str(controls.RECORD_TO)}


def _listed(rows: pd.DataFrame, fields: dict[str, str]) -> list[dict]:
    return [{name: _plain(row[name]) for name in fields} for _, row in rows.iterrows()]


def _sources(rows: pd.DataFrame) -> dict[str, dict]:
    found = {name: data.source(name) for name in sorted(set(rows["source_id"].dropna()))}
    return {
        name: {"title": source.title, "publisher": source.publisher, "url": source.url}
        for name, source in found.items()
    }


def _plain(value):
    if pd.isna(value):
        return None
    return bool(value) if isinstance(value, bool) or type(value).__name__ == "bool_" else str(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Break a line after 75 bytes, as the standard asks."""
    parts, rest = [], line
    while len(rest.encode()) > (room := 74 if parts else 75):
        cut = room
        while len(rest[:cut].encode()) > room:
            cut -= 1
        parts.append(rest[:cut])
        rest = rest[cut:]
    return "\r\n ".join([*parts, rest])
