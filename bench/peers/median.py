"""Peer of bench/median.mjs: medians over time with numpy and bottleneck, one thread.

Protocol: reads lines `T PIXELS SEED MISSING` (numbers) and, after each, lines `run`; answers `ready` to the first and, to each
`run`, one line of JSON with the Mpx/s of one measurement per peer. `end` closes a series. Needs numpy and bottleneck.
"""

import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import bottleneck
import numpy

SLICE_SECONDS = 0.08


def mpx_per_second(work, pixels):
    """Best of the calls that fit into a slice."""
    best = float("inf")
    end = time.perf_counter() + SLICE_SECONDS
    while time.perf_counter() < end or best == float("inf"):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return pixels / best / 1e6


def series(times, pixels, seed, missing):
    """float32 [time][px] with NaN, and the same as [px][time]: which of the two is faster depends on the length."""
    random = numpy.random.default_rng(seed)
    data = random.integers(1, 10001, size=(times, pixels)).astype(numpy.float32)
    data[random.random(data.shape) < missing] = numpy.nan
    return data, numpy.ascontiguousarray(data.T)


def main():
    data = turned = None
    few = slice(0, 2048)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "run":
            pixels = data.shape[1]
            along_time = mpx_per_second(lambda: bottleneck.nanmedian(data, axis=0), pixels)
            along_rows = mpx_per_second(lambda: bottleneck.nanmedian(turned, axis=1), pixels)
            small = turned[few]
            plain = mpx_per_second(lambda: numpy.nanmedian(small, axis=1), small.shape[0])
            print(json.dumps({"bottleneck": max(along_time, along_rows), "numpy nanmedian": plain}), flush=True)
        elif words[0] == "end":
            data = turned = None
        else:
            data, turned = series(int(words[0]), int(words[1]), int(words[2]), float(words[3]))
            print("ready", flush=True)


main()
