"""``python -m rareearths ensemble``: many draws of scenarios, into one Parquet file, on one machine or on many."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import logging
import math
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

from rareearths import data
from rareearths.shock import backtest, ensemble, episodes, parameters, scenarios, score
from rareearths.shock.ensemble import Failed

ROOT = Path(__file__).resolve().parent.parent.parent
OUTPUT = ROOT / "_build" / "ensembles"
TABLES = tuple(dict.fromkeys((*scenarios.TABLES, *episodes.TABLES)))
LEARNED_ON = "A and B"
DRAWS, CHUNK, LARGEST_CHUNK = 10_000, 5_000, 100_000
ROWS = 50_000
"""Rows of a row group, whatever the pieces are; what bounds the memory beside the pieces."""
CONNECT = 10.0
"""Seconds after which a scheduler, or the first worker, counts as not to be reached."""
ADDRESS = r"(tcp|tls|ucx|wss?)://[^/\s]+:\d{1,5}"
LEAVE_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""What a process of --workers runs first: Ctrl-C reaches it too, and it is this process that ends them all."""
SHARES = (0.05, 0.5, 0.95)
YEARS = (scenarios.START, scenarios.START + scenarios.LENGTH // 12 - 1)

SETTABLE = {  # column: kind, least, most
    "oxide_pass_pct": ("number", 0, 100),
    "magnet_pass_pct": ("number", 0, 100),
    "duration_months": ("whole number", 0, 400),
    "extra_stock_months": ("number", 0, 400),
    "own_supply_pct": ("number", 0, 100),
    "technology_ban": ("yes or no", 0, 1),
    "ban_lifted_year": ("whole number", *YEARS),
    "build_out_pct": ("number", 0, 400),
    "price_floor": ("yes or no", 0, 1),
    "shock_year": ("whole number", *YEARS),
}
"""What --set may change in the row of a scenario."""
ALONE_ONLY, TO_2035_ONLY = ("own_supply_pct",), ("ban_lifted_year", "build_out_pct", "price_floor", "shock_year")
"""Columns that only one kind of scenario reads."""
IN_SHOCK = ("oxide_pass_pct", "magnet_pass_pct", "shock_year")
"""Columns that are read only where there is a shock."""

RESULTS = {
    "peak": "highest price outside China before stocks run out, over the base price",
    "months_above_twice": "months with a price outside China above twice the base price",
    "lost_months": "months of use that users outside China wanted at the price and did not get",
    "months_below_base": "months of use outside China below that at base prices: not to be had, saved for its price, or designed out",
    "contract_bill": "further cost of the oxide, in months of the base bill, at contract prices",
    "spot_bill": "further cost of the oxide, in months of the base bill, at spot prices",
    "runs_out": "whether users outside China stood still for want of oxide",
    "month_out": "months from the start of the shock to that; missing where they did not",
}

DESCRIPTION = """\
Run the supply-shock model (chapter 12) for many draws of its parameters and keep every draw: one row a draw and scenario,
with the draw's number, its 28 parameters and its results, in one Parquet file. None of it is a forecast.
The same seed gives the same numbers to the last bit, on one processor or on a cluster."""

EPILOG = """\
examples:
  python -m rareearths ensemble --scenario S3
      10,000 draws of scenario S3 on this machine's processors, into _build/ensembles/
  python -m rareearths ensemble --scenario S3 --scenario S5 --draws 1000000 --output shocks.parquet
      a million draws of each of two scenarios, into a file of your choice
  python -m rareearths ensemble --scenario S3 --set oxide_pass_pct=40 --set duration_months=9
      S3 with 40 percent of the oxides let through, for nine months
  python -m rareearths ensemble --scenario S8 --draws 1000000 --scheduler tcp://10.0.0.5:8786
      the same on a Dask cluster; `dask scheduler` and `dask worker tcp://10.0.0.5:8786` start one

scenarios: {scenarios}
(data/model/scenarios.csv says what each is.)

--set takes: {settable}"""


class Refused(Exception):
    """The request cannot be met as it stands; the message says what to write instead."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(message[0].lower() + message[1:] + "; --help explains")


def main(arguments: list[str]) -> int:
    """Run an ensemble from the command line: 0, or 2 where the request is at fault and 1 where the run failed."""
    try:
        with _ended_by_signal():
            return _main(arguments)
    except Refused as error:
        print(error, file=sys.stderr)
        return 2
    except (Failed, data.DataError) as error:
        print(error, file=sys.stderr)
        return 1


def _main(arguments: list[str]) -> int:
    tables = {name: data.load(name) for name in TABLES}
    asked = _parse(arguments, tables)
    try:
        chosen = [_scenario(name, tables, asked.changes) for name in asked.scenario]
        ranges = parameters.ranges(tables["parameters"], "scenarios")
    except ValueError as error:
        raise Refused(str(error)) from None
    _needed("pyarrow", "an ensemble is written as Parquet, which needs pyarrow")
    if asked.workers or asked.scheduler:
        _needed("distributed", "--workers and --scheduler need Dask")
    path = _place(asked)
    from rareearths.shock.parquet import File

    try:
        with File(path, [each.name for each in chosen], ROWS, asked.force) as file, _cluster(asked) as client:
            learned = None
            if not asked.ranges_only:
                print(
                    "learning from the two episodes of chapter 12 (some ten seconds) ...", file=sys.stderr, flush=True
                )
                learned = backtest.run(tables).core(LEARNED_ON)
            file.describe(described(asked, chosen, ranges, learned))
            jobs = [ensemble.job(each, ranges, learned, asked.seed) for each in chosen]
            _run(jobs, asked, client, file)
            file.commit()
        print(summary(path))
    except FileExistsError:
        raise Refused(f"{path} has come to be while this ran: take another --output, or add --force") from None
    except OSError as error:
        raise Failed(f"{path}: {error.strerror or error}") from None
    print(f"\nwritten: {_short(path)}\nread it: pandas.read_parquet({str(_short(path))!r})")
    return 0


def _run(jobs: list[ensemble.Job], asked: argparse.Namespace, client, file) -> None:
    from tqdm import tqdm

    cut = ensemble.pieces(len(jobs), asked.draws, asked.chunk)
    with tqdm(total=asked.draws * len(jobs), unit="draw", unit_scale=True, desc="drawing", file=sys.stderr) as bar:
        if client is None:
            given = ensemble.in_threads(jobs, cut, bar.update)
        else:
            given = ensemble.on_cluster(jobs, cut, bar.update, client)
        with contextlib.closing(given):
            for piece, values in given:
                file.add(piece, values)


# What is asked


def _parse(arguments: list[str], tables: dict[str, pd.DataFrame]) -> argparse.Namespace:
    known = scenarios.names(tables)
    parser = _Parser(
        prog="python -m rareearths ensemble",
        description=DESCRIPTION,
        epilog=EPILOG.format(scenarios=", ".join(known), settable=", ".join(SETTABLE)).replace("%", "%%"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--scenario", metavar="S", action="append", help="a scenario, such as S3; may be given several times"
    )
    parser.add_argument(
        "--draws", metavar="N", type=_whole(1), default=DRAWS, help=f"draws of each scenario (default: {DRAWS:,})"
    )
    parser.add_argument(
        "--set",
        metavar="COLUMN=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="change a column of the scenarios' rows, e.g. oxide_pass_pct=40; may be given several times",
    )
    parser.add_argument(
        "--pass-rate",
        metavar="PERCENT",
        help="share of the normal exports that is let through in the shock: short for "
        "--set oxide_pass_pct=PERCENT --set magnet_pass_pct=PERCENT",
    )
    parser.add_argument(
        "--ranges-only",
        action="store_true",
        help="draw all parameters from their ranges, without what the two episodes of chapter 12 teach",
    )
    parser.add_argument(
        "--seed", metavar="N", type=_whole(0, 2**63 - 1), default=scenarios.SEED, help="seed (default: %(default)s)"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="the Parquet file (default: in _build/ensembles/, named after what is asked)"
    )
    parser.add_argument("--force", action="store_true", help="replace the file where there is one")
    parser.add_argument(
        "--workers", metavar="N", type=_whole(1), help="run on N processes of this machine, by Dask (make extra)"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="run on the Dask cluster of this scheduler, e.g. tcp://10.0.0.5:8786"
    )
    parser.add_argument(
        "--chunk",
        metavar="N",
        type=_whole(1, LARGEST_CHUNK),
        default=CHUNK,
        help=f"draws of a piece, which never changes the results (default: {CHUNK:,}; at most {LARGEST_CHUNK:,})",
    )
    asked = parser.parse_args(arguments)
    if not asked.scenario:
        raise Refused(f"name a scenario with --scenario: there are {', '.join(known)}")
    asked.scenario = list(dict.fromkeys(asked.scenario))
    for name in asked.scenario:
        if name not in known:
            raise Refused(f"unknown scenario {name!r}: there are {', '.join(known)}")
    if asked.workers and asked.scheduler:
        raise Refused("--workers starts processes here and --scheduler uses a cluster that runs: give one of the two")
    if asked.scheduler is not None and not re.fullmatch(ADDRESS, asked.scheduler):
        raise Refused(f"--scheduler {asked.scheduler}: write it as tcp://10.0.0.5:8786")
    asked.changes = _changes(asked)
    return asked


def _whole(least: int, most: int | None = None):
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
        if value < least or (most is not None and value > most):
            upto = f"from {least:,} to {most:,}" if most is not None else f"of {least:,} or more"
            raise argparse.ArgumentTypeError(f"{text} is not a whole number {upto}")
        return value

    return read


def _changes(asked: argparse.Namespace) -> dict:
    """What --set and --pass-rate change, typed and in range."""
    pairs = [setting.partition("=") for setting in asked.settings]
    if asked.pass_rate is not None:
        pairs += [(column, "=", asked.pass_rate) for column in ("oxide_pass_pct", "magnet_pass_pct")]
    changes = {}
    for column, equals, text in pairs:
        column = column.strip()
        if not equals:
            raise Refused(f"--set {column}: write COLUMN=VALUE, for example --set oxide_pass_pct=40")
        if column not in SETTABLE:
            raise Refused(f"--set knows no column {column!r}: there are {', '.join(SETTABLE)}")
        if column in changes:
            raise Refused(f"{column} is set twice: set it once")
        changes[column] = _value(column, text.strip())
    return changes


def _value(column: str, text: str) -> float | int | bool:
    kind, least, most = SETTABLE[column]
    if kind == "yes or no":
        words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
        if text.lower() not in words:
            raise Refused(f"{column}={text}: write yes or no")
        return words[text.lower()]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most or (kind == "whole number" and value != int(value)):
        raise Refused(f"{column}={text}: it is a {kind} from {least} to {most}")
    return int(value) if value == int(value) else value


def _scenario(name: str, tables: dict[str, pd.DataFrame], changes: dict) -> scenarios.Scenario:
    """A scenario with its changes; one that would have no effect, or none to the end, is refused."""
    row = tables["scenarios"].set_index("scenario", drop=False).loc[name].copy()
    for column, value in changes.items():
        row[column] = value
    alone = row["path"] != "to 2035"
    for column in changes:
        if column in (TO_2035_ONLY if alone else ALONE_ONLY):
            raise Refused(f"{column} plays no part in {name}, which is {row['path']!r}: leave it out")
        if column in IN_SHOCK and row["duration_months"] == 0:
            raise Refused(f"{column} plays no part in {name}, which has no shock: set duration_months too")
    if "ban_lifted_year" in changes and not row["technology_ban"]:
        raise Refused(f"ban_lifted_year plays no part in {name}, which has no prohibition: set technology_ban=yes too")
    months = scenarios.ALONE if alone else scenarios.LENGTH
    if row["duration_months"] > 0 and not alone and pd.isna(row["shock_year"]):
        raise Refused(f"{name} has no shock of its own: set shock_year too, from {YEARS[0]} to {YEARS[1]}")
    begins = scenarios.BEFORE if alone else 12 * (int(row["shock_year"]) - YEARS[0]) if row["duration_months"] else 0
    if row["duration_months"] > months - begins:
        raise Refused(
            f"duration_months={row['duration_months']}: in {name} the shock has at most {months - begins} months"
        )
    return scenarios.scenario(name, tables, **changes)


def _place(asked: argparse.Namespace) -> Path:
    """Where the file goes; refused where it may not."""
    if asked.output is None:
        parts = ["-".join(asked.scenario), str(asked.draws)]
        parts += [f"{column}={value}" for column, value in sorted(asked.changes.items())]
        parts += [f"seed={asked.seed}"] * (asked.seed != scenarios.SEED) + ["ranges"] * asked.ranges_only
        path = OUTPUT / ("_".join(parts) + ".parquet")
        try:
            OUTPUT.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"{OUTPUT} cannot be made ({error.strerror}): name another place with --output") from None
    else:
        path = Path(asked.output).expanduser()
    if path.is_dir():
        raise Refused(f"{path} is a folder: name a file in it, such as {path / 'ensemble.parquet'}")
    if not path.parent.is_dir():
        raise Refused(f"there is no folder {path.parent}: make it, or name another --output")
    if not os.access(path.parent, os.W_OK):
        raise Refused(f"{path.parent} may not be written to: name another --output")
    if path.exists() and not asked.force:
        raise Refused(f"{_short(path)} is there already: add --force to replace it, or name another --output")
    return path


def _short(path: Path) -> Path:
    """As a user would write it."""
    return Path(os.path.relpath(path)) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path


def _needed(module: str, why: str) -> None:
    try:
        __import__(module)
    except ImportError:
        raise Failed(f"{why}; `make extra` installs it") from None


# Where it runs


@contextlib.contextmanager
def _cluster(asked: argparse.Namespace) -> Iterator:
    """A client of the cluster that is asked for, or None for this process."""
    if not (asked.workers or asked.scheduler):
        yield None
        return
    from distributed import Client, LocalCluster
    from distributed import TimeoutError as TimedOut

    with contextlib.ExitStack() as stack:
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)  # what goes wrong is told by this command, in a sentence
        if asked.workers:
            print(f"starting {asked.workers} processes ...", file=sys.stderr, flush=True)
            cluster = LocalCluster(
                n_workers=asked.workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                memory_limit=0,  # pieces are small, and a limit would be a share of the machine
                silence_logs=logging.CRITICAL,
                preload=[LEAVE_CTRL_C],
            )
            address = stack.enter_context(cluster).scheduler_address
        else:
            address = asked.scheduler
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT, set_as_default=False))
        except (OSError, TimedOut):
            raise Failed(f"no scheduler answers at {address}: start one with `dask scheduler`, or correct it") from None
        try:
            client.wait_for_workers(1, timeout=CONNECT)
        except (OSError, TimedOut):
            raise Failed(
                f"the scheduler at {address} has no workers: start some with `dask worker {address}`"
            ) from None
        yield client


@contextlib.contextmanager
def _ended_by_signal() -> Iterator[None]:
    """End on SIGTERM, which batch systems send, as on an exception: with nothing half-written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number, frame):
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# What is told


def described(
    asked: argparse.Namespace,
    chosen: list[scenarios.Scenario],
    ranges: pd.DataFrame,
    learned: np.ndarray | None,
) -> dict:
    """All that is needed to repeat a run, for the file's metadata."""
    digests = data.loaded()
    used = TABLES if learned is not None else scenarios.TABLES
    again = ["--draws", str(asked.draws), "--seed", str(asked.seed)]
    for each in chosen:
        again += ["--scenario", each.name]
    for column, value in asked.changes.items():
        again += ["--set", f"{column}={str(value).lower()}"]
    again += ["--ranges-only"] * asked.ranges_only
    taught = None
    if learned is not None:
        taught = {
            "episodes": LEARNED_ON,
            "parameters": list(backtest.FITTED),
            "values": len(learned),
            "seed": score.SEED,
            "digest": hashlib.sha256(np.ascontiguousarray(learned).tobytes()).hexdigest()[:16],
        }
    return {
        "command": "python -m rareearths ensemble " + shlex.join(again),
        "scenarios": {each.name: _plain(each.row.to_dict()) for each in chosen},
        "changed": asked.changes,
        "draws": asked.draws,
        "seed": asked.seed,
        "chunk": asked.chunk,
        "learned": taught,
        "package": _version(),
        "commit": _commit(),
        "code": ensemble.code(),
        "versions": ensemble.versions(),
        "data": "the book's" if data.root() == ROOT / "data" else "a folder of the user's own",
        "tables": {name: digests[f"table:{name}"] for name in used},
        "units": "parameters in fractions and months, and rates a month; results as said",
        "ranges": [_plain(row) for row in ranges[RANGE].reset_index().to_dict("records")],
        "results": RESULTS,
    }


RANGE = "low mode high symbol meaning unit value_low value value_high candidate flag source_id locator".split()


def _plain(row: dict) -> dict:
    """Values as JSON has them; what is missing is null."""
    return {
        key: None if pd.isna(value) else value.item() if isinstance(value, np.generic) else value
        for key, value in row.items()
    }


def _version() -> str | None:
    described = ROOT / "pyproject.toml"
    if described.is_file():
        return tomllib.loads(described.read_text(encoding="utf-8"))["project"]["version"]
    try:
        return metadata.version("rareearths")
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of this book, with "and changes" where code or data differ from it; None where there is no git."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True, timeout=30)
        return done.stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != ROOT:
            return None
        changed = git("status", "--porcelain", "--", "rareearths", "data")
        return git("rev-parse", "HEAD") + (" and changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def summary(path: Path) -> str:
    """Shares 5, 50 and 95 of 100 of each result, by scenario, read from a file one column at a time."""
    from rareearths.shock import parquet

    told = parquet.metadata(path)
    lines = []
    for name, row in told["scenarios"].items():
        lines += ["", f"{name}, {row['title']}{_changed(told)}: {told['draws']:,} draws"]
        lines.append(f"  {'':20}{'5 %':>10}{'50 %':>10}{'95 %':>10}")
        for result in scenarios.RESULTS:
            values = parquet.column(path, name, result)
            if result == "runs_out":
                lines.append(f"  {result:20}{f'in {np.mean(values):.1%} of the draws':>30}")
                continue
            values = values[~np.isnan(values)]
            if not len(values):
                lines.append(f"  {result:20}{'in no draw':>30}")
                continue
            at = np.quantile(values, SHARES, overwrite_input=True)
            lines.append(f"  {result:20}" + "".join(f"{value:10.2f}" for value in at))
    return "\n".join(lines[1:])


def _changed(told: dict) -> str:
    changes = ", ".join(f"{column} {value}" for column, value in told["changed"].items())
    return f", with {changes}" if changes else ""
