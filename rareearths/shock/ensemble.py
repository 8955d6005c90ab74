"""An ensemble in pieces: what a piece is, and the pieces run in threads of this process or on a Dask cluster.

A draw is a function of the seed and its number alone, and the engine takes one draw after another, so a piece gives the same
bits in whatever process it runs, however the draws are cut. A worker proves it before its first piece: its code is compared
with that of the process that asks, and so are the bits of a few draws. Dask is imported only where a cluster is used.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import platform
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pandas as pd

from rareearths.shock import engine, parameters, scenarios
from rareearths.shock.engine import PARAMETERS, Market

COLUMNS = (*PARAMETERS, *scenarios.RESULTS)
"""What a piece has for each draw, in its order."""

MODULES = (engine, parameters, scenarios)
"""Modules whose code a piece runs; with this one they have to be the same on all machines."""

COMPARED = 50  # draws whose bits a worker has to give as the asking process does
PATIENCE = 60.0  # seconds without any worker after which a run is given up
LOOK = 2.0  # seconds between two looks at how many workers there are
LOST = "the connection to the scheduler was lost: start it again, then this run"
PAUSE = 0.005  # seconds between two looks at whether a piece is there


class Failed(Exception):
    """A run cannot go on; the message says why and what to do, in a sentence."""


@dataclass(frozen=True)
class Job:
    """All that a worker needs to run any draw of a scenario; it reads no table.

    Attributes:
        market: The inputs of the scenario.
        shock: Month in which the shock begins, or None.
        ranges: low, mode (NaN where there is none) and high of each parameter, (28, 3).
        learned: What the back-test taught, (any number, 5), or None for the ranges alone.
        seed: Seed.
    """

    market: Market
    shock: int | None
    ranges: np.ndarray
    learned: np.ndarray | None
    seed: int

    def run(self, first: int, count: int) -> np.ndarray:
        """The draws first, first + 1 ...: one row for each of COLUMNS, (columns, count); a missing result is NaN."""
        ranges = pd.DataFrame(self.ranges, index=list(PARAMETERS), columns=["low", "mode", "high"])
        drawn = scenarios.draws(ranges, count, first, self.learned, self.seed)
        results = scenarios.results(engine.simulate(drawn, self.market, (), (), workers=1), self.shock)
        out = np.empty((len(COLUMNS), count))
        out[: len(PARAMETERS)] = drawn.T
        for place, name in enumerate(scenarios.RESULTS, len(PARAMETERS)):
            out[place] = results[name]
        return out


class Piece(NamedTuple):
    """Draws of one job: its place among the jobs, the number of the first draw, how many there are."""

    job: int
    first: int
    count: int


Run = Iterator[tuple[Piece, np.ndarray]]
Done = Callable[[int], object]


def job(scenario: scenarios.Scenario, ranges: pd.DataFrame, learned: np.ndarray | None, seed: int) -> Job:
    """The job of a scenario; ranges as parameters.ranges gives them."""
    bounds = ranges[["low", "mode", "high"]].to_numpy(dtype=float, na_value=np.nan)
    return Job(scenario.market, scenario.shock, np.ascontiguousarray(bounds), learned, seed)


def pieces(jobs: int, draws: int, chunk: int) -> Iterator[Piece]:
    """All pieces: one job after the other, its draws in order."""
    for place in range(jobs):
        for first in range(0, draws, chunk):
            yield Piece(place, first, min(chunk, draws - first))


def in_threads(jobs: Sequence[Job], cut: Iterator[Piece], done: Done, threads: int | None = None) -> Run:
    """Run pieces in threads of this process and give them in their order; at most two a thread are held.

    Args:
        jobs: The jobs.
        cut: The pieces, as pieces() gives them.
        done: Called with the number of draws when a piece is there.
        threads: As many as there are processors by default.
    """
    threads = threads or engine.processors()
    pool = ThreadPoolExecutor(threads)
    waiting: deque = deque()
    try:
        for piece in cut:
            waiting.append((piece, pool.submit(jobs[piece.job].run, piece.first, piece.count)))
            if len(waiting) >= 2 * threads:
                yield _first(waiting, done)
        while waiting:
            yield _first(waiting, done)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _first(waiting: deque, done: Done) -> tuple[Piece, np.ndarray]:
    piece, future = waiting.popleft()
    values = future.result()
    done(piece.count)
    return piece, values


@functools.cache
def code() -> str:
    """Digest of the code that a piece runs."""
    digest = hashlib.sha256()
    for path in (*(Path(module.__file__) for module in MODULES), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Versions that may change the last bit."""
    return {"python": platform.python_version(), "numpy": np.__version__, "numba": numba.__version__}


def pack(job: Job) -> bytes:
    """A job to be sent, with what a worker has to agree with."""
    return pickle.dumps((job, code(), versions(), _bits(job)), protocol=5)


def _bits(job: Job) -> str:
    return hashlib.sha256(job.run(0, COMPARED).tobytes()).hexdigest()[:16]


@functools.lru_cache(maxsize=8)
def unpack(packed: bytes) -> Job:
    """The job again, once it is sure that this process gives the same bits.

    Raises:
        Failed: Code or bits differ from those of the process that packed it.
    """
    job, their_code, their_versions, their_bits = pickle.loads(packed)
    if code() != their_code:
        raise Failed("a worker runs other code of this book: give all machines the same version of it")
    if _bits(job) != their_bits:
        differ = [f"{k} {v} there, {their_versions[k]} here" for k, v in versions().items() if v != their_versions[k]]
        raise Failed(
            "a worker gives other bits for the same draws"
            f" ({'; '.join(differ) or 'another kind of processor or mathematical library'}): use machines alike"
        )
    return job


def _on_worker():
    """The task of a piece. It is sent by value, being a local function, so that the scheduler needs no package."""

    def piece(packed: bytes, first: int, count: int):
        from rareearths.shock.ensemble import unpack

        return unpack(packed).run(first, count)

    return piece


def on_cluster(jobs: Sequence[Job], cut: Iterator[Piece], done: Done, client) -> Run:
    """Run pieces on a Dask cluster and give them in their order.

    A piece that is lost with its worker is run again elsewhere. Pieces that are early wait here: as many as the workers
    have threads, twice and two more, never more.

    Args:
        jobs: The jobs.
        cut: The pieces, as pieces() gives them.
        done: Called with the number of draws when a piece is there, in whatever order.
        client: A distributed.Client.

    Raises:
        Failed: The workers do not agree with this process, cannot run a piece, or are all gone.
    """
    from distributed import CancelledError, KilledWorker, as_completed
    from distributed.comm import CommClosedError

    try:
        yield from _on_cluster(jobs, cut, done, client, as_completed(loop=client.loop))
    except ImportError as error:
        raise Failed(
            f"a worker has no {error.name}: give every worker this version of the book and its needs"
        ) from None
    except KilledWorker:
        raise Failed(
            "a piece took down its worker several times: look at the workers' logs, and at their memory"
        ) from None
    except (CancelledError, CommClosedError, TimeoutError):
        raise Failed(LOST) from None
    except RuntimeError as error:
        if "deserialization" not in str(error):
            raise
        raise Failed(
            "the scheduler cannot read what it is sent: give it the Python and the Dask of this machine"
        ) from None


def _on_cluster(jobs, cut, done, client, completed) -> Run:
    # The jobs are tasks of their own and not scattered: what is scattered is lost with the last worker that holds it,
    # a task is run again.
    kept = [client.submit(bytes, pack(job), pure=False) for job in jobs]
    task, threads = _on_worker(), _Threads(client)
    running: dict = {}  # future: place in the order
    early: dict[int, tuple[Piece, np.ndarray]] = {}
    order: deque[Piece] = deque()  # pieces sent and not yet given
    given = 0
    more = True
    try:
        while True:
            while more and len(order) < 2 * threads.count() + 2:
                piece = next(cut, None)
                more = piece is not None
                if more:
                    future = client.submit(task, kept[piece.job], piece.first, piece.count, pure=False)
                    running[future] = given + len(order)
                    order.append(piece)
                    completed.add(future)
            if not order:
                return
            while not completed.has_ready():
                threads.count()
                time.sleep(PAUSE)
            future = next(completed)
            values = future.result()
            place = running.pop(future)
            piece = order[place - given]
            early[place] = (piece, values)
            done(piece.count)
            del future, values
            while given in early:
                order.popleft()
                yield early.pop(given)
                given += 1
    finally:
        if client.status == "running":
            client.cancel([*running, *kept], force=True)


class _Threads:
    """Threads of all workers, looked up now and then."""

    def __init__(self, client):
        self.client, self.known, self.looked, self.seen = client, 1, -np.inf, time.monotonic()

    def count(self) -> int:
        """Threads at the last look, at least one; Failed where there has been no worker for too long."""
        now = time.monotonic()
        if now - self.looked >= LOOK:
            self.looked = now
            if self.client.status != "running":
                raise Failed(LOST)
            found = sum(self.client.nthreads().values())
            if found:
                self.known, self.seen = found, now
            elif now - self.seen > PATIENCE:
                raise Failed(f"there has been no worker for {PATIENCE:.0f} seconds: start one, then this run again")
        return self.known
