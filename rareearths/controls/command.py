"""``python -m rareearths controls``: what is controlled on a day, in a terminal."""

from __future__ import annotations

import argparse
import json
import sys

import pandas as pd

from rareearths import controls, data

SHOWN = ["element", "stage", "object", "instrument", "severity", "status", "since", "document_no", "measure_id"]


def main(arguments: list[str]) -> int:
    """Print the controls on a day, or what changed between two; 1 where the question cannot be answered."""
    parser = argparse.ArgumentParser(
        prog="python -m rareearths controls",
        description="China's controls on rare earths on a day: by element, by stage, or what changed since another day.",
        epilog=f"The record runs from {controls.RECORD_FROM} to {controls.RECORD_TO}. "
        f"Elements: {', '.join(controls.elements())}. Stages: {', '.join(controls.stages())}.",
    )
    parser.add_argument(
        "--at",
        metavar="DATE",
        default=str(controls.RECORD_TO),
        help="the day, as 2025-04-04; default: the last of the record",
    )
    parser.add_argument("--element", metavar="SYMBOL", help="one element, e.g. Dy")
    parser.add_argument("--stage", help="one stage, e.g. magnet")
    parser.add_argument("--diff", metavar="DATE", help="show what changed between this day and the other")
    parser.add_argument("--json", action="store_true", help="print JSON, with documents and sources")
    asked = parser.parse_args(arguments)
    element = asked.element and asked.element.strip().capitalize()
    stage = asked.stage and asked.stage.strip().lower()
    try:
        if asked.diff:
            rows = controls.diff(asked.diff, asked.at, element, stage)
        else:
            rows = controls.status(element, stage, asked.at)
    except controls.NotInRecord as error:
        print(error, file=sys.stderr)
        return 1
    print(_json(asked, rows) if asked.json else _text(asked, rows, element, stage))
    return 0


def _text(asked, rows: pd.DataFrame, element: str | None, stage: str | None) -> str:
    of = " ".join(part for part in (element, stage) if part) or "all elements and stages"
    if asked.diff:
        first, last = sorted((controls.as_date(asked.diff), controls.as_date(asked.at)))
        head = f"{of}: what changed between {first} and {last}"
        rows = rows.assign(status=rows["status_before"] + " -> " + rows["status_after"])
    else:
        head = f"{of}: controls on {asked.at}"
    lines = [head]
    if rows.empty:
        lines.append("nothing" if asked.diff else "none in this record")
    else:
        lines += _columns(_grouped(rows.assign(since=rows["effective_from"].astype(str).str[:10])))
    if controls.as_date(asked.at) > controls.RECORD_TO:
        lines.append(f"The record ends on {controls.RECORD_TO}; what came after is not known to it.")
    suspended = rows[rows["status"].str.contains(controls.SUSPENDED, regex=False) & rows["suspended_to"].notna()]
    for legal, reported in (
        suspended[["suspended_to", "suspended_to_reported"]].drop_duplicates().itertuples(index=False)
    ):
        text = f"Suspended to {str(legal)[:10]} by the notice"
        lines.append(
            text + (f"; to {str(reported)[:10]} by reports, without a legal text." if pd.notna(reported) else ".")
        )
    return "\n".join(lines)


def _grouped(rows: pd.DataFrame) -> pd.DataFrame:
    """Put elements with the same control into one line."""
    by = [column for column in SHOWN if column != "element"]
    order = {symbol: place for place, symbol in enumerate(controls.elements())}
    said = rows.groupby(by, sort=False, dropna=False)["element"].agg(
        lambda symbols: "all 17" if len(set(symbols)) == len(order) else " ".join(sorted(set(symbols), key=order.get))
    )
    return said.reset_index()[SHOWN]


def _columns(rows: pd.DataFrame) -> list[str]:
    table = [SHOWN, *rows.fillna("").astype(str).to_numpy().tolist()]
    widths = [max(len(line[place]) for line in table) for place in range(len(SHOWN))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in table]


def _json(asked, rows: pd.DataFrame) -> str:
    measures = data.load("measures").set_index("measure_id")
    listed = []
    for row in json.loads(rows.to_json(orient="records")):
        measure = measures.loc[row["measure_id"]]
        source = data.source(row["source_id"])
        address = measure["document_url"]
        listed.append(
            row
            | {
                "document_title": measure["title"],
                "document_url": None if pd.isna(address) else address,
                "source": {"source_id": row["source_id"], "title": source.title, "url": source.url},
            }
        )
    question = {"at": asked.at, "diff": asked.diff, "element": asked.element, "stage": asked.stage}
    record = {"from": str(controls.RECORD_FROM), "to": str(controls.RECORD_TO)}
    return json.dumps({"question": question, "record": record, "controls": listed}, ensure_ascii=False, indent=1)
