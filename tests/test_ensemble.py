"""Ensembles: the same bits in one process or on a cluster, nothing half-written, and all that is needed to repeat one."""

import contextlib
import functools
import json
import os
import pickle
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from rareearths import data
from rareearths.__main__ import main
from rareearths.shock import backtest, command, engine, ensemble, parameters, scenarios
from tests.conftest import REPOSITORY, rareearths

SMALL = ("--scenario", "S8", "--draws", "2500", "--ranges-only", "--chunk", "100")
"""Twenty-five pieces, in which a worker can be lost."""


@pytest.fixture(scope="module")
def tables():
    return {name: data.load(name) for name in command.TABLES}


@pytest.fixture
def little_learned(monkeypatch):
    """What the back-test teaches, from few draws, so that it takes no ten seconds."""
    monkeypatch.setattr(backtest, "run", functools.partial(backtest.run, draws=2_000))


def ask(path, *words) -> pd.DataFrame:
    assert main(["ensemble", *words, "--output", str(path)]) == 0
    return pd.read_parquet(path)


def told(frame: pd.DataFrame) -> dict:
    return frame.attrs["rareearths"]


def job(tables, name="S3", learned=None) -> ensemble.Job:
    ranges = parameters.ranges(tables["parameters"], "scenarios")
    return ensemble.job(scenarios.scenario(name, tables), ranges, learned, scenarios.SEED)


# What is in the file


def test_a_row_is_a_draw_with_its_parameters_and_results(pyarrow, tables, tmp_path, little_learned):
    frame = ask(tmp_path / "x.parquet", "--scenario", "S3", "--scenario", "S8", "--draws", "700", "--chunk", "300")
    assert list(frame.columns) == ["scenario", "draw", *engine.PARAMETERS, *scenarios.RESULTS]
    assert frame["scenario"].tolist() == ["S3"] * 700 + ["S8"] * 700
    learned = backtest.run(tables).core("A and B")
    drawn = scenarios.draws(parameters.ranges(tables["parameters"], "scenarios"), 700, 0, learned)
    for name, rows in frame.groupby("scenario", observed=True):
        assert rows["draw"].tolist() == list(range(700))
        assert rows[list(engine.PARAMETERS)].to_numpy().tobytes() == drawn.tobytes()
        expected = scenarios.run(scenarios.scenario(name, tables), drawn)[0]
        pd.testing.assert_frame_equal(rows[list(expected)].reset_index(drop=True), expected, check_exact=True)
    assert frame["runs_out"].any() and frame["month_out"].isna().equals(~frame["runs_out"])


def test_a_changed_scenario_is_the_changed_one(pyarrow, tables, tmp_path):
    words = ("--scenario", "S3", "--draws", "200", "--ranges-only")
    frame = ask(tmp_path / "x.parquet", *words, "--set", "oxide_pass_pct=40", "--set", "duration_months=9")
    changed = scenarios.scenario("S3", tables, oxide_pass_pct=40, duration_months=9)
    expected = scenarios.run(changed, frame[list(engine.PARAMETERS)].to_numpy())[0]
    pd.testing.assert_frame_equal(frame[list(expected)], expected, check_exact=True)
    assert told(frame)["scenarios"]["S3"]["oxide_pass_pct"] == 40
    short = ask(tmp_path / "y.parquet", *words, "--pass-rate", "40")
    assert told(short)["changed"] == {"oxide_pass_pct": 40, "magnet_pass_pct": 40}


def test_the_pieces_change_nothing(pyarrow, tmp_path, monkeypatch):
    words = ("--scenario", "S3", "--draws", "1003", "--ranges-only")
    whole = ask(tmp_path / "whole.parquet", *words)
    monkeypatch.setattr(command, "ROWS", 250)
    for chunk in (1003, 400, 17):
        cut = ask(tmp_path / f"{chunk}.parquet", *words, "--chunk", str(chunk))
        assert told(cut).pop("chunk") == chunk
        told(cut)["chunk"] = told(whole)["chunk"]
        pd.testing.assert_frame_equal(cut, whole, check_exact=True)
        groups = pyarrow.parquet.ParquetFile(tmp_path / f"{chunk}.parquet").metadata
        assert [groups.row_group(place).num_rows for place in range(groups.num_row_groups)] == [250] * 4 + [3]
    assert (tmp_path / "1003.parquet").stat().st_size < 1_000_000


def test_the_metadata_are_enough_to_repeat_a_run(pyarrow, tmp_path, little_learned):
    first = ask(
        tmp_path / "x.parquet",
        *("--scenario", "S3", "--scenario", "S9", "--draws", "120", "--seed", "7", "--chunk", "50"),
        *("--set", "extra_stock_months=2", "--set", "technology_ban=no"),
    )
    kept = told(first)
    program, *words = shlex.split(kept["command"])[2:]
    assert program == "rareearths"
    again = ask(tmp_path / "y.parquet", *words[1:], "--chunk", str(kept["chunk"]))
    pd.testing.assert_frame_equal(again, first, check_exact=True)
    assert told(again) == kept
    assert (tmp_path / "x.parquet").read_bytes() == (tmp_path / "y.parquet").read_bytes()

    assert kept["draws"] == 120 and kept["seed"] == 7 and kept["package"] == "0.1.0"
    assert kept["scenarios"]["S9"]["shock_year"] == 2027 and kept["scenarios"]["S9"]["technology_ban"] is False
    assert kept["learned"]["values"] == 4000 and kept["learned"]["digest"]
    assert set(kept["tables"]) == set(command.TABLES)
    assert all(kept["tables"][name] == data.current(f"table:{name}") for name in kept["tables"])
    assert list(kept["results"]) == list(scenarios.RESULTS)
    assert kept["code"] == ensemble.code() and kept["versions"]["numpy"] == np.__version__
    drawn = first[list(engine.PARAMETERS)]
    for row in kept["ranges"]:
        assert row["source_id"] and row["unit"]
        if row["name"] not in backtest.FITTED and row["name"] != "long_run_demand_elasticity":
            assert drawn[row["name"]].between(row["low"], row["high"]).all(), row["name"]
    if (REPOSITORY / ".git").exists():
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True).stdout
        assert kept["commit"].removesuffix(" and changes") == head.strip()


def test_ranges_alone_are_told_as_such(pyarrow, tmp_path):
    frame = ask(tmp_path / "x.parquet", "--scenario", "S0", "--draws", "30", "--ranges-only")
    assert told(frame)["learned"] is None and "--ranges-only" in told(frame)["command"]
    assert set(told(frame)["tables"]) == set(scenarios.TABLES)
    drawn = parameters.draw(parameters.ranges(data.load("parameters"), "scenarios"), 30, scenarios.SEED)
    assert frame[list(engine.PARAMETERS)].to_numpy().tobytes() == drawn.tobytes()


def test_the_summary_is_that_of_the_rows(pyarrow, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "ROWS", 300)
    frame = ask(
        *(tmp_path / "x.parquet", "--scenario", "S0", "--scenario", "S5", "--draws", "1000", "--ranges-only"),
        *("--chunk", "128"),
    )
    said = capsys.readouterr().out
    blocks = dict(zip(["S0", "S5"], said.split("\n\n"), strict=False))
    for name, block in blocks.items():
        rows = frame[frame["scenario"] == name]
        assert block.startswith(f"{name}, ") and "1,000 draws" in block
        lines = {line.split()[0]: line.split()[1:] for line in block.splitlines()[2:]}
        assert set(lines) == set(scenarios.RESULTS)
        assert lines["runs_out"] == ["in", f"{rows['runs_out'].mean():.1%}", "of", "the", "draws"]
        for result in set(scenarios.RESULTS) - {"runs_out"}:
            values = rows[result].dropna()
            expected = [f"{share:.2f}" for share in values.quantile([0.05, 0.5, 0.95])] if len(values) else None
            assert lines[result] == (expected or ["in", "no", "draw"])
    assert "in no draw" in blocks["S0"] and "in no draw" not in blocks["S5"]
    assert str(tmp_path / "x.parquet") in said


# Pieces


def test_a_job_can_be_sent(tables):
    for name, learned in (("S3", None), ("S14", np.full((10, 5), 0.4))):
        sent = job(tables, name, learned)
        came = pickle.loads(pickle.dumps(sent))
        for here, there in zip(sent.market.arrays, came.market.arrays, strict=True):
            assert here.tobytes() == there.tobytes() and there.flags.writeable
        assert came.run(40, 30).tobytes() == sent.run(0, 100)[:, 40:70].tobytes()
        assert ensemble.unpack(ensemble.pack(sent)).run(0, 5).tobytes() == sent.run(0, 5).tobytes()


def test_a_worker_with_other_code_or_bits_is_refused(tables, monkeypatch):
    packed = ensemble.pack(job(tables))
    ensemble.unpack.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(ensemble, "code", lambda: "other")
        with pytest.raises(ensemble.Failed, match="runs other code of this book"):
            ensemble.unpack(packed)
    with monkeypatch.context() as patch:
        patch.setattr(ensemble, "_bits", lambda job: "other")
        patch.setattr(ensemble, "versions", lambda: {"python": "3.99", "numpy": np.__version__})
        with pytest.raises(ensemble.Failed, match=r"other bits for the same draws \(python 3.99 there, "):
            ensemble.unpack(packed)
    assert ensemble.unpack(packed)


def test_pieces_are_made_as_they_are_taken(tables):
    """Whatever the number of draws, at most two pieces a thread are held."""
    sent = []
    cut = (sent.append(piece) or piece for piece in ensemble.pieces(1, 10**12, 50))
    done = []
    given = ensemble.in_threads([job(tables)], cut, done.append, threads=2)
    with contextlib.closing(given):
        assert [next(given)[0].first for _ in range(6)] == [0, 50, 100, 150, 200, 250]
    assert len(sent) == 9 and done == [50] * 6


# On a cluster


def test_two_processes_give_the_bytes_that_one_does(distributed, tmp_path):
    ask(tmp_path / "one.parquet", *SMALL)
    ask(tmp_path / "two.parquet", *SMALL, "--workers", "2")
    assert (tmp_path / "two.parquet").read_bytes() == (tmp_path / "one.parquet").read_bytes()


@pytest.fixture
def start():
    """Start a program of Dask; ended after the test."""
    with contextlib.ExitStack() as stack:

        def started(*words):
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *words],
                cwd=REPOSITORY,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield started


def after_the_first_piece(monkeypatch, do):
    """Have something done once, when the first piece is there."""
    import tqdm

    left = [do]

    def update(self, count=1):
        if left:
            left.pop()()

    monkeypatch.setattr(tqdm.tqdm, "update", update)
    return left


def test_a_cluster_that_runs_is_used_and_the_loss_of_a_worker_survived(distributed, start, tmp_path, monkeypatch):
    ask(tmp_path / "one.parquet", *SMALL)
    kept = tmp_path / "scheduler.json"
    scheduler = start(
        *("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(kept))
    )
    wait_until(lambda: kept.exists() and kept.stat().st_size or scheduler.poll())
    address = json.loads(kept.read_text())["address"]
    workers = [
        start("worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")
        for _ in range(2)
    ]
    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=120)
    left = after_the_first_piece(monkeypatch, workers[0].kill)
    ask(tmp_path / "other.parquet", *SMALL, "--scheduler", address)
    assert not left and workers[0].wait() == -signal.SIGKILL and workers[1].poll() is None
    assert (tmp_path / "other.parquet").read_bytes() == (tmp_path / "one.parquet").read_bytes()

    after_the_first_piece(monkeypatch, scheduler.kill)
    place = tmp_path / "lost"
    place.mkdir()
    assert main(["ensemble", *SMALL, "--scheduler", address, "--output", str(place / "x.parquet")]) == 1
    assert not list(place.iterdir())


def test_the_loss_of_the_only_worker_is_survived(distributed, tmp_path, monkeypatch):
    """What was sent to it at the start is sent again to the one that takes its place."""
    ask(tmp_path / "one.parquet", *SMALL)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        pid = cluster.workers[0].pid
        left = after_the_first_piece(monkeypatch, lambda: os.kill(pid, signal.SIGKILL))
        ask(tmp_path / "other.parquet", *SMALL, "--scheduler", cluster.scheduler_address)
        assert not left and cluster.workers[0].pid != pid
    assert (tmp_path / "other.parquet").read_bytes() == (tmp_path / "one.parquet").read_bytes()


def test_a_cluster_that_cannot_be_used_is_told(distributed, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "CONNECT", 1.0)
    words = ("ensemble", *SMALL, "--output", str(tmp_path / "x.parquet"), "--scheduler")
    assert main([*words, "tcp://127.0.0.1:9"]) == 1
    assert "no scheduler answers at tcp://127.0.0.1:9" in one_line(capsys.readouterr().err)
    with distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None) as cluster:
        assert main([*words, cluster.scheduler_address]) == 1
    assert "has no workers: start some with `dask worker tcp://" in one_line(capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_a_cluster_that_has_lost_all_its_workers_is_given_up_after_a_while(monkeypatch):
    class Client:
        status, workers = "running", {"tcp://127.0.0.1:1": 3}

        def nthreads(self):
            return self.workers

    monkeypatch.setattr(ensemble, "LOOK", 0.0)
    client = Client()
    threads = ensemble._Threads(client)
    assert threads.count() == 3
    client.workers = {}
    assert threads.count() == 3  # one may come back
    monkeypatch.setattr(ensemble, "PATIENCE", 0.0)
    with pytest.raises(ensemble.Failed, match="there has been no worker for"):
        threads.count()
    client.status = "connecting"
    with pytest.raises(ensemble.Failed, match="the connection to the scheduler was lost"):
        threads.count()


# What cannot be done


def one_line(text: str) -> str:
    """The one sentence that is said."""
    said = [line for line in text.split("\n") if line]
    assert len(said) == 1, text
    return said[0]


@pytest.mark.parametrize(
    "words, answer",
    [
        ("", "name a scenario with --scenario: there are S0, S1"),
        ("--scenario S99", "unknown scenario 'S99': there are S0, S1"),
        ("--scenario S3 --draws 0", "0 is not a whole number of 1 or more"),
        ("--scenario S3 --draws -5", "-5 is not a whole number of 1 or more"),
        ("--scenario S3 --draws many", "'many' is no whole number"),
        ("--scenario S3 --chunk 0", "0 is not a whole number from 1 to 100,000"),
        ("--scenario S3 --seed -1", "-1 is not a whole number from 0"),
        ("--scenario S3 --workers 0", "0 is not a whole number of 1 or more"),
        ("--scenario S3 --surprise", "unrecognized arguments: --surprise"),
        ("--scenario S3 --workers 2 --scheduler tcp://127.0.0.1:1", "give one of the two"),
        ("--scenario S3 --scheduler here", "--scheduler here: write it as tcp://"),
        ("--scenario S3 --set oxide_pass_pct", "write COLUMN=VALUE"),
        ("--scenario S3 --set colour=1", "--set knows no column 'colour': there are oxide_pass_pct, "),
        ("--scenario S3 --set title=1", "--set knows no column 'title'"),
        ("--scenario S3 --set oxide_pass_pct=140", "oxide_pass_pct=140: it is a number from 0 to 100"),
        ("--scenario S3 --set oxide_pass_pct=nan", "oxide_pass_pct=nan: it is a number from 0 to 100"),
        ("--scenario S3 --set oxide_pass_pct=few", "oxide_pass_pct=few: it is a number from 0 to 100"),
        ("--scenario S3 --pass-rate -1", "oxide_pass_pct=-1: it is a number from 0 to 100"),
        ("--scenario S3 --pass-rate 5 --set oxide_pass_pct=5", "oxide_pass_pct is set twice"),
        ("--scenario S3 --set duration_months=2.5", "it is a whole number from 0 to 400"),
        ("--scenario S3 --set duration_months=34", "in S3 the shock has at most 33 months"),
        ("--scenario S8 --set duration_months=49", "in S8 the shock has at most 48 months"),
        ("--scenario S3 --set technology_ban=maybe", "technology_ban=maybe: write yes or no"),
        ("--scenario S3 --set shock_year=2030", "shock_year plays no part in S3"),
        ("--scenario S8 --set own_supply_pct=9", "own_supply_pct plays no part in S8"),
        ("--scenario S8 --set shock_year=2036", "it is a whole number from 2024 to 2035"),
        ("--scenario S12 --set ban_lifted_year=2030", "ban_lifted_year plays no part in S12"),
        ("--scenario S0 --set oxide_pass_pct=40", "oxide_pass_pct plays no part in S0, which has no shock"),
        ("--scenario S10 --set duration_months=6", "S10 has no shock of its own: set shock_year too"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(words, answer, tmp_path, capsys):
    assert main(["ensemble", "--ranges-only", "--output", str(tmp_path / "x.parquet"), *words.split()]) == 2
    assert answer in one_line(capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_every_setting_that_is_offered_can_be_set(tables):
    """At both ends of its range, in a scenario that reads it, with results that are numbers."""
    for column, (kind, least, most) in command.SETTABLE.items():
        name = "S13" if column in command.TO_2035_ONLY else "S3"
        most = 33 if column == "duration_months" else most
        for end in (least, most):
            value = bool(end) if kind == "yes or no" else end
            changes = {"shock_year": 2035, "duration_months": 12} if column == "ban_lifted_year" else {}
            made = command._scenario(name, tables, changes | {column: value})
            ranges = parameters.ranges(tables["parameters"], "scenarios")
            values = ensemble.job(made, ranges, None, 1).run(0, 50)
            assert np.isfinite(values[:-1]).all(), (column, value)


def test_a_place_that_cannot_be_written_is_told(pyarrow, tmp_path, capsys):
    words = ("ensemble", "--scenario", "S3", "--draws", "10", "--ranges-only", "--output")
    assert main([*words, str(tmp_path / "none" / "x.parquet")]) == 2
    assert "there is no folder" in one_line(capsys.readouterr().err)
    assert main([*words, str(tmp_path)]) == 2
    assert "is a folder: name a file in it" in one_line(capsys.readouterr().err)
    if os.path.isdir("/proc/self"):  # where nobody may write, not even root
        assert main([*words, "/proc/self/x.parquet"]) in (1, 2)
        assert "/proc/self" in one_line(capsys.readouterr().err)
    there = tmp_path / "x.parquet"
    there.write_text("mine")
    assert main([*words, str(there)]) == 2
    assert "is there already: add --force" in one_line(capsys.readouterr().err)
    assert there.read_text() == "mine"
    assert main([*words, str(there), "--force"]) == 0
    assert len(pd.read_parquet(there)) == 10 and list(tmp_path.iterdir()) == [there]


def test_a_failure_in_the_middle_leaves_nothing(pyarrow, tmp_path, monkeypatch, capsys):
    from rareearths.shock import parquet

    add, left = parquet.File.add, [1, 2]

    def full(self, piece, values):
        if not left:
            raise OSError(28, "No space left on device")
        left.pop()
        add(self, piece, values)

    monkeypatch.setattr(parquet.File, "add", full)
    there = tmp_path / "x.parquet"
    there.write_text("mine")
    assert main(["ensemble", *SMALL, "--output", str(there), "--force"]) == 1
    assert f"{there}: No space left on device" in capsys.readouterr().err
    assert there.read_text() == "mine" and list(tmp_path.iterdir()) == [there]


def test_a_file_that_comes_to_be_meanwhile_is_kept(pyarrow, tmp_path, monkeypatch, capsys):
    there = tmp_path / "x.parquet"
    after_the_first_piece(monkeypatch, lambda: there.write_text("mine"))
    assert main(["ensemble", *SMALL, "--output", str(there)]) == 2
    assert "has come to be while this ran" in capsys.readouterr().err
    assert there.read_text() == "mine" and list(tmp_path.iterdir()) == [there]


@pytest.mark.parametrize(
    "module, words, answer", [("pyarrow", (), "pyarrow"), ("distributed", ("--workers", "2"), "Dask")]
)
def test_what_is_not_installed_is_told(module, words, answer, tmp_path, monkeypatch, capsys, request):
    if module != "pyarrow":
        request.getfixturevalue("pyarrow")
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["ensemble", *SMALL, *words, "--output", str(tmp_path / "x.parquet")]) == 1
    said = one_line(capsys.readouterr().err)
    assert answer in said and "`make extra` installs it" in said
    assert not list(tmp_path.iterdir())


def test_one_process_needs_no_dask(pyarrow, tmp_path, monkeypatch):
    for module in ("dask", "distributed"):
        monkeypatch.setitem(sys.modules, module, None)
    assert len(ask(tmp_path / "x.parquet", *SMALL)) == 2500


def wait_until(true, seconds=240.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number, workers, code", [("SIGINT", 0, 130), ("SIGINT", 2, 130), ("SIGTERM", 0, 143)])
def test_a_run_that_is_stopped_leaves_nothing(number, workers, code, tmp_path, request):
    request.getfixturevalue("distributed" if workers else "pyarrow")
    there = tmp_path / "x.parquet"
    there.write_text("mine")
    words = ["--scenario", "S3", "--draws", "50000000", "--ranges-only", "--force", "--output", str(there)]
    process = subprocess.Popen(
        [sys.executable, "-m", "rareearths", "ensemble", *words, *(["--workers", str(workers)] * bool(workers))],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group of its own, for Ctrl-C reaches all processes of one
        # What is started in the background of a shell ignores Ctrl-C, and so would what the tests start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        wait_until(lambda: any(path.stat().st_size > 100_000 for path in tmp_path.glob(".*.part")))
        os.killpg(process.pid, getattr(signal, number))
        said = process.communicate(timeout=120)[1]
    finally:
        process.kill()
    assert process.returncode == code and "Traceback" not in said, said
    assert list(tmp_path.iterdir()) == [there] and there.read_text() == "mine"


def test_the_help_is_enough_to_begin(capsys):
    with pytest.raises(SystemExit) as end:
        main(["ensemble", "--help"])
    assert end.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    for word in ("examples:", "S15", "oxide_pass_pct", "--scheduler", "dask worker tcp://", "make extra"):
        assert word in said
    assert "ensemble" in rareearths("--help").stdout
