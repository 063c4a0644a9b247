"""The peer of bench/tiles.mjs: odc-algo and geomad on the same items, as gm-s2 of odc-stats uses them, on one core.

    python tiles.py ITEMS GRID_JSON PASSES

Loads the tile with odc-stac (bilinear, the mask nearest), cleans the mask, drops masked pixels, and computes geomedian, MADs and count
with odc.algo.geomedian_with_mads and the settings of the plugin. Days are fused before they are masked, and the mask is cleaned at the
tile's pixels, which odc-stats does in the scenes' own: the work is of the same size, the numbers are not compared. Nothing is written. Prints seconds, peak memory and versions as JSON.
"""
import json
import os
import resource
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", GDAL_NUM_THREADS="1", NUMEXPR_MAX_THREADS="1")

import dask
import geomad
import numpy as np
import odc.algo
import odc.stac
import pystac
from odc.algo import enum_to_bool, erase_bad, geomedian_with_mads, mask_cleanup
from odc.geo.geobox import GeoBox

BANDS = ["B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12"]
CLOUDS = [3, 8, 9, 10]


def work_chunks(shape):
    """400 px a side as the plugin has it, or the whole tile where that is no multiple: odc-algo fails on what is left over."""
    return (400, 400) if all(side % 400 == 0 for side in shape) else tuple(shape)


def tile(items, geobox):
    loaded = odc.stac.load(
        items,
        bands=[*BANDS, "SCL"],
        geobox=geobox,
        groupby="solar_day",
        chunks={"x": -1, "y": -1},
        resampling={"*": "bilinear", "SCL": "nearest"},
    )
    mask = loaded.SCL
    clouds = mask_cleanup(mask.isin(CLOUDS), mask_filters=[("opening", 2), ("dilation", 5)])
    bands = erase_bad(loaded[BANDS], clouds | (mask == 0))
    bands = bands.rename(time="spec") if "time" not in bands.dims else bands
    for name in BANDS:
        bands[name].attrs["nodata"] = 0
    scale = 1 / 10_000
    return geomedian_with_mads(
        bands,
        maxiters=1000,
        num_threads=1,
        scale=scale,
        offset=-scale,
        reshape_strategy="mem",
        out_chunks=(-1, -1, -1),
        work_chunks=work_chunks(geobox.shape),
        compute_count=True,
        compute_mads=True,
    )


def main(path, grid, passes):
    with open(path) as file:
        collection = json.load(file)
    folder = os.path.dirname(os.path.abspath(path))
    items = [pystac.Item.from_dict(feature) for feature in collection["features"]]
    for item in items:
        for asset in item.assets.values():
            asset.href = os.path.join(folder, asset.href)
    spec = json.loads(grid)
    height, width = spec["shape"]
    south, west = spec["origin"]
    res = spec["resolution"]
    geobox = GeoBox.from_bbox((west, south, west + width * res, south + height * res), spec["crs"], resolution=res)
    seconds = []
    with dask.config.set(scheduler="synchronous"):
        for _ in range(passes):
            start = time.perf_counter()
            result = tile(items, geobox).compute()
            seconds.append(time.perf_counter() - start)
    px = width * height
    facts = {
        "px": px,
        "seconds": sorted(seconds)[len(seconds) // 2],
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "count": float(np.mean(result["count"].values)),
        "versions": {"odc-algo": odc.algo.__version__, "geomad": geomad.__version__},
    }
    print(json.dumps(facts))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
