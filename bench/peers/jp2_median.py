"""Median of JPEG 2000 scenes as it is usually done: windows of 1000 rows of each scene (rasterio), one nanmedian (numpy). Prints JSON.
FILE…"""
import json
import sys
import time

import numpy as np
import rasterio
from rasterio.windows import Window

ROWS = 1000

start = time.perf_counter()
scenes = [rasterio.open(path) for path in sys.argv[1:]]
height, width = scenes[0].shape
out = np.empty((height, width), np.float32)
for row in range(0, height, ROWS):
    count = min(ROWS, height - row)
    stack = np.stack([scene.read(1, window=Window(0, row, width, count)) for scene in scenes]).astype(np.float32)
    stack[stack == 0] = np.nan
    out[row : row + count] = np.nanmedian(stack, axis=0)
seconds = time.perf_counter() - start
versions = f"rasterio {rasterio.__version__}, numpy {np.__version__}"
print(json.dumps({"seconds": seconds, "versions": versions, "sum": float(np.nansum(out, dtype=np.float64))}))
