"""Each cross-check can fail: ``crosscheck_cases.csv`` has, for each, one value that makes it speak, and what it says."""

import csv
import functools
from pathlib import Path

import pandas as pd
import pytest

from rareearths import check, crosschecks, data
from rareearths.crosschecks.tools import EVERY_TABLE

CASES = list(csv.DictReader(Path(__file__).with_name("crosscheck_cases.csv").open(encoding="utf-8")))
IN_OTHER_TESTS = {  # test_check.py and test_corruptions.py make these fail
    "production_adds_up",
    "reserves_add_up",
    "import_shares_add_up",
    "end_use_shares_add_up",
    "publishers_agree",
    "history_agrees",
    "prices_agree",
    "us_production_is_the_same",
    "superseded_has_successor",
    "blanks_are_explained",
    "zeros_are_flagged",
    "ranges_are_in_order",
    "periods_are_in_order",
    "sources_are_used",
}
CHECKS = {one.__name__: one for one in crosschecks.checks()}


@functools.cache
def typed(name: str) -> pd.DataFrame:
    return check._typed(data.root(), data.describe(name))


@functools.cache
def whole() -> dict[str, pd.DataFrame]:
    return {name: typed(name) for name in data.tables()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['check']}-{case['file']}-{case['where']}")
def test_a_spoiled_value_is_told(case, tmp_path):
    resource = next(one for one in map(data.describe, data.tables()) if one["path"] == case["file"])
    table = pd.read_csv(data.root() / case["file"], dtype=str, keep_default_na=False)
    chosen = pd.Series(True, index=table.index)
    for pair in filter(None, case["where"].split(",")):
        column, _, value = pair.partition("=")
        chosen &= table[column] == value
    assert chosen.sum() == 1, "the case picks no single row any more"
    table.loc[chosen, case["column"]] = case["value"]
    file = tmp_path / case["file"]
    file.parent.mkdir(parents=True)
    table.to_csv(file, index=False, lineterminator="\n")
    spoiled = check._typed(tmp_path, resource)
    one = CHECKS[case["check"]]
    tables = {**whole(), resource["name"]: spoiled}
    told = [str(p) for p in one({resource["name"]: spoiled} if one.needs == EVERY_TABLE else tables)]
    assert any(case["said"] in message for message in told), "\n".join(told) or "nothing was said"


def test_every_cross_check_is_made_to_fail():
    assert {case["check"] for case in CASES} | IN_OTHER_TESTS == set(CHECKS)


def test_names_of_cross_checks_are_one_of_a_kind():
    assert len(CHECKS) == len(crosschecks.checks())
    assert all(one.__doc__ and one.needs is not None for one in CHECKS.values())
