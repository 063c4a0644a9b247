"""geomad's geometric median and MADs, timed on request. A line on stdin asks for one run, a line on stdout answers.

Arguments: a file of u16[nPx][nTime][nBand] (0 = missing), nPx, nTime, nBand. Requests: "median" or "mads" answer seconds;
"save FILE" writes the last median, f32[nPx][nBand] in DN, and answers 0.
"""
import sys
import time

import numpy as np
from geomad import nangeomedian_pcm
from geomad import bcmad_pcm as bcmad, emad_pcm as emad, smad_pcm as smad

path, n_px, n_time, n_band = sys.argv[1], *map(int, sys.argv[2:5])
dn = np.fromfile(path, "u2").reshape(1, n_px, n_time, n_band)
missing = (dn == 0).any(axis=3, keepdims=True)
x = np.where(missing, np.nan, dn * 1e-4).astype("f4").transpose(0, 1, 3, 2).copy()  # (y, x, band, time)
x = x.reshape(-1, 64, n_band, n_time) if n_px % 64 == 0 else x
median = None
print("ready", flush=True)
for line in sys.stdin:
    request = line.split()
    start = time.perf_counter()
    if request[0] == "save":
        (median.reshape(n_px, n_band) * 1e4).astype("f4").tofile(request[1])
        start = time.perf_counter()
    else:
        median = nangeomedian_pcm(x, eps=1e-5, maxiters=1000, num_threads=1)
        if request[0] == "mads":
            for deviation in (emad, smad, bcmad):
                deviation(x, median, num_threads=1)
    print(time.perf_counter() - start, flush=True)
