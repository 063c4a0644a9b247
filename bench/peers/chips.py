"""The chip extractor that stackwise replaces, made again from its description: for each coordinate one window of all bands is read,
starting at the coordinate's pixel, and cut into 37 years of 6 bands. Prints seconds as JSON.

Modes: make FILE SEED (a raster of 222 bands, deflate) | run FILE POINTS SIZE (POINTS: JSON list of [lon, lat])"""
import json
import sys
import time

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

WIDTH, HEIGHT, BANDS, YEARS = 988, 1305, 222, 37
PIXEL = 0.00026949458523585647


def make(path, seed):
    """Land that changes slowly, with noise: deflate makes two fifths of it."""
    rng = np.random.default_rng(seed)
    land = np.cumsum(rng.integers(-12, 13, size=(HEIGHT, WIDTH)), axis=1) // 4
    profile = dict(driver="GTiff", width=WIDTH, height=HEIGHT, count=BANDS, dtype="int32", crs="EPSG:4326", compress="deflate")
    profile["transform"] = from_origin(-74.88284343197603, 40.98015511472004, PIXEL, PIXEL)
    with rasterio.open(path, "w", **profile) as dataset:
        for band in range(BANDS):
            noise = rng.integers(0, 120, size=(HEIGHT, WIDTH))
            dataset.write((land * (1 + band % 6) // 2 + noise + 2000 + 37 * band).astype("int32"), band + 1)


def extract(path, coordinates, size):
    chips = {}
    with rasterio.open(path) as dataset:
        left, bottom, right, top = dataset.bounds
        for lon, lat in coordinates:
            if not (left <= lon <= right and bottom <= lat <= top):
                continue
            row, col = dataset.index(lon, lat)
            pixels = dataset.read(window=Window(col, row, 2 * size + 1, 2 * size + 1))
            chips[(lon, lat)] = np.array_split(pixels, YEARS)
    return chips


def run(path, points, size):
    with open(points) as file:
        coordinates = [tuple(pair) for pair in json.load(file)]
    start = time.perf_counter()
    chips = extract(path, coordinates, size)
    seconds = time.perf_counter() - start
    full = [pair for pair, years in chips.items() if years[0].shape == (6, 2 * size + 1, 2 * size + 1)]
    sums = [int(sum(int(year.sum()) for year in chips[pair])) for pair in full[:20]]
    print(json.dumps({"seconds": seconds, "chips": len(chips), "sums": [[list(p), s] for p, s in zip(full, sums)], "rasterio": rasterio.__version__}))


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]))
else:
    run(sys.argv[2], sys.argv[3], int(sys.argv[4]))
