"""The status of controls on a day, against cases worked out by hand from the documents."""

import datetime
import itertools
import json
import re

import jsonschema
import pytest

from rareearths import controls, data
from rareearths.__main__ import main
from rareearths.controls import exchange

SEVEN = {"Sm", "Gd", "Tb", "Dy", "Lu", "Sc", "Y"}
"""Elements of Announcement No. 18 of 4 April 2025."""
FIVE = {"Ho", "Er", "Tm", "Eu", "Yb"}
"""Elements of Announcement No. 57 of 9 October 2025."""


def elements(day, measure, status):
    rows = controls.at(day)
    return set(rows[(rows["measure_id"] == measure) & (rows["status"] == status)]["element"])


def test_the_seven_elements_are_licensed_from_the_fourth_of_april_2025():
    assert elements("2025-04-03", "M062", controls.TO_COME) == SEVEN
    assert elements("2025-04-04", "M062", controls.IN_FORCE) == SEVEN
    assert elements("2026-10-09", "M062", controls.IN_FORCE) == SEVEN


def test_the_five_elements_were_parked_before_they_started():
    assert elements("2025-11-06", "M080", controls.TO_COME) == FIVE
    for day in ("2025-11-07", "2025-11-08", "2026-10-09"):
        assert elements(day, "M080", controls.SUSPENDED) == FIVE


def test_the_prohibition_of_technology_was_never_suspended():
    rows = controls.at("2026-10-09")
    rows = rows[(rows["measure_id"] == "M047") & (rows["severity"] == "prohibition")]
    assert len(rows) and set(rows["status"]) == {controls.IN_FORCE}


def test_the_earlier_catalogue_ends_on_the_day_the_new_one_starts():
    for day, old, new in (
        ("2023-12-20", controls.IN_FORCE, controls.TO_COME),
        ("2023-12-21", controls.ENDED, controls.IN_FORCE),
    ):
        assert elements(day, "M007", old) and elements(day, "M047", new)


def test_a_start_known_by_year_counts_from_its_first_day():
    assert (
        elements("2007-12-31", "M009", controls.TO_COME) == elements("2008-01-01", "M009", controls.IN_FORCE) != set()
    )
    assert elements("2005-01-01", "M006", controls.IN_FORCE)
    assert elements("2015-01-01", "M006", controls.ENDED)


def test_after_the_record_nothing_is_said_to_be_lifted():
    rows = controls.at("2026-11-11")
    assert set(rows["status"]) == {controls.UNKNOWN, controls.ENDED}
    assert elements("2026-11-11", "M077", controls.UNKNOWN)


def test_the_description_names_the_same_last_day():
    day = controls.RECORD_TO
    assert f"record to {day.day} {day:%B %Y}" in data.describe("controls")["coverage"]
    assert not controls.at(day)["status"].eq(controls.UNKNOWN).any()


@pytest.mark.parametrize("day", ["2025-02-30", "4 April 2025", "", None, 2025])
def test_what_is_no_date_is_refused(day):
    with pytest.raises(ValueError, match="write year-month-day, for example 2025-04-04"):
        controls.at(day)


def test_dates_may_be_given_as_dates():
    assert controls.at(datetime.date(2025, 4, 4)).equals(controls.at("2025-04-04"))


@pytest.mark.parametrize(
    "element, stage, day, expected",
    [
        ("Dy", "magnet", "2025-04-03", {}),
        ("Dy", "magnet", "2025-04-04", {"M062": "in force"}),
        ("Dy", "magnet", "2025-11-08", {"M062": "in force", "M079": "suspended", "M082": "suspended"}),
        ("Nd", "magnet", "2024-06-01", {"M047": "in force"}),  # how to make NdFeB magnets, not the magnets
        ("Nd", "separation", "2023-12-20", {"M007": "in force", "M045": "in force"}),
        ("Nd", "separation", "2023-12-21", {"M047": "in force", "M045": "in force"}),
        ("Pr", "magnet", "2025-04-04", {}),
        ("Ho", "magnet", "2025-12-01", {"M079": "suspended", "M080": "suspended"}),
        ("Ho", "magnet", "2026-11-10", {"M079": controls.UNKNOWN, "M080": controls.UNKNOWN}),
        ("La", "product", "2010-06-01", {"M006": "in force", "M009": "in force"}),
        ("La", "product", "2015-04-30", {"M009": "in force", "M025": "in force"}),
        ("La", "product", "2015-05-01", {"M025": "in force"}),
    ],
)
def test_the_status_of_an_element_at_a_stage(element, stage, day, expected):
    rows = controls.status(element, stage, day)
    assert dict(zip(rows["measure_id"], rows["status"])) == expected
    severities = [controls.SEVERITIES.index(severity) for severity in rows["severity"]]
    assert severities == sorted(severities)


def test_the_suspension_ends_by_the_text_not_by_the_reports():
    """By its notice on 10 November 2026; to 10 January 2027 by reports. Both lie after the record."""
    row = controls.status("Ho", "magnet", "2026-10-09").set_index("measure_id").loc["M080"]
    assert str(row["suspended_to"])[:10] == "2026-11-10" and str(row["suspended_to_reported"])[:10] == "2027-01-10"


def test_what_changed_on_the_fourth_of_april_2025():
    rows = controls.diff("2025-04-03", "2025-04-04")
    assert set(rows["measure_id"]) == {"M056", "M062"} and set(rows["element"]) == SEVEN
    assert set(rows["status_before"]) == {"to come"} and set(rows["status_after"]) == {"in force"}
    assert rows.equals(controls.diff("2025-04-04", "2025-04-03"))


@pytest.mark.parametrize(
    "day, other", list(itertools.combinations(["2005-01-01", "2015-05-01", "2024-01-01", "2026-10-09"], 2))
)
def test_what_changed_is_what_differs_between_the_two_days(day, other):
    changed = controls.diff(day, other)
    key = ["measure_id", "element", "stage", "object"]
    before, after = (controls.at(each).set_index(key)["status"] for each in (day, other))
    assert set(changed.set_index(key).index) == set(before.index[before != after])
    assert controls.diff(day, day).empty


def test_the_days_of_change_are_all_there_are():
    """Nothing changes between two neighbouring days of change."""
    days = [controls.RECORD_FROM, *controls.change_days(), controls.RECORD_TO]
    one = datetime.timedelta(days=1)
    for day, following in itertools.pairwise(days):
        if following - day > one:
            assert controls.diff(day, following - one).empty, (day, following)


def test_a_cell_of_the_matrix_shows_the_strongest_of_each_object():
    cell = controls.matrix("2025-10-10").loc["Dy", "separation"]
    assert [str(mark) for mark in cell] == [
        "goods: licence, and a prohibition for named users",
        "technology: prohibition",
        "output: quota",
    ]
    assert [str(mark) for mark in controls.matrix("2026-10-09").loc["Ho", "magnet"]] == [
        "goods: licence suspended",
        "equipment: licence suspended",
    ]


def test_a_control_that_rests_on_a_weak_source_says_so():
    """That leaching at the mine moved to the restricted part in 2023 is reported, not read in the catalogue."""
    technology = {mark.object: mark for mark in controls.matrix("2024-06-01").loc["Dy", "mining"]}["technology"]
    assert technology.weak and str(technology) == "technology: licence, by a weak source"
    assert not {mark.object: mark for mark in controls.matrix("2025-10-10").loc["Dy", "mining"]}["technology"].weak
    assert not any(mark.weak for mark in controls.matrix("2026-10-09").loc["Dy", "separation"])


@pytest.mark.parametrize(
    "question, answer",
    [
        (("Xx", "magnet", "2025-04-04"), "no element 'Xx' in this record; there are Sc, Y, La"),
        (("Dy", "mine", "2025-04-04"), "no stage 'mine' in this record; there are mining, beneficiation"),
        (("Dy", "magnet", "1999-01-01"), "lies before the record of controls, which begins on 2005-01-01"),
        (("Dy", "magnet", "2025-02-30"), "is no date"),
    ],
)
def test_what_the_record_does_not_have_is_told(question, answer, capsys):
    with pytest.raises(controls.NotInRecord, match=re.escape(answer)):
        controls.status(*question)
    element, stage, day = question
    assert main(["controls", "--at", day, "--element", element, "--stage", stage]) == 1
    assert answer in capsys.readouterr().err


def test_the_terminal_gives_the_status_and_its_document(capsys):
    assert main(["controls", "--at", "2025-04-04", "--element", "dy", "--stage", "Magnet"]) == 0
    said = capsys.readouterr().out
    assert "Dy magnet: controls on 2025-04-04" in said and "Announcement No. 18 of 2025" in said
    assert main(["controls", "--at", "2025-11-10", "--diff", "2025-11-06"]) == 0
    said = capsys.readouterr().out
    assert "in force -> suspended" in said and "to 2027-01-10 by reports, without a legal text" in said
    assert main(["controls", "--at", "2026-11-20", "--element", "Ho"]) == 0
    assert "The record ends on 2026-10-09" in capsys.readouterr().out
    assert main(["controls", "--at", "2025-01-01", "--element", "Pr", "--stage", "recycling"]) == 0
    assert "none in this record" in capsys.readouterr().out


def test_the_terminal_gives_json_with_documents_and_sources(capsys):
    assert main(["controls", "--at", "2025-11-10", "--element", "Ho", "--stage", "magnet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["record"] == {"from": "2005-01-01", "to": "2026-10-09"}
    row = next(row for row in said["controls"] if row["measure_id"] == "M080")
    assert row["suspended_to"] == "2026-11-10" and row["status"] == "suspended"
    assert row["document_title"] and row["source"]["title"]


@pytest.mark.parametrize("name, made", [("controls", exchange.controls_json), ("timeline", exchange.timeline_json)])
def test_the_files_for_other_programs_fit_their_schemas(name, made):
    schema, content = exchange.schema(name), json.loads(json.dumps(made()))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    listed = content["controls" if name == "controls" else "measures"]
    assert len(listed) == len(data.load("controls" if name == "controls" else "measures"))
    assert {row["source_id"] for row in listed if row["source_id"]} <= set(content["sources"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "surprise": 1}, schema)


def test_the_days_ahead_are_those_after_the_record():
    events = exchange.days_ahead()
    assert events["day"].gt(str(controls.RECORD_TO)).all() and events["day"].is_monotonic_increasing
    known = set(zip(events["measure_id"], events["what"], events["day"]))
    assert {("M089", "ends", "2026-11-10"), ("M050", "starts", "2027-01-01")} <= known
    assert set(events[events["reported"]]["measure_id"]) == {"M113"}


def test_the_calendar_can_be_read():
    text = exchange.calendar("https://example.org/book/chapters/08_record.html")
    assert text.endswith("END:VCALENDAR\r\n") and all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    whole = text.replace("\r\n ", "")
    assert whole.count("BEGIN:VEVENT") == whole.count("END:VEVENT") == len(exchange.days_ahead())
    uids = re.findall(r"UID:(\S+)", whole)
    assert len(uids) == len(set(uids))
    event = next(part for part in whole.split("BEGIN:VEVENT") if "UID:m050" in part)
    assert "DTSTART;VALUE=DATE:20270101" in event and "DTEND;VALUE=DATE:20270102" in event
    assert "URL:https://example.org/book/chapters/08_record.html#measure-m050" in event
    assert "no legal text shows it" in next(part for part in whole.split("BEGIN:VEVENT") if "UID:m113-ends" in part)
