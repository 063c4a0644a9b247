"""Peer of bench/warp.mjs: GDAL's warp of one u16 band from memory to memory, one thread.

Protocol: reads a line of JSON {file, size, nodata, source: {crs, affine}, target: {crs, affine}} (u16[size][size] in the file), answers
`ready`; then after each line `METHOD THRESHOLD` (near, bilinear, cubic; error threshold in px) one line of JSON {mpx, file}: the Mpx/s
of one warp and where its u16[size][size] lie. Needs GDAL's Python bindings and numpy.
"""

import json
import sys
import time

import numpy
from osgeo import gdal, osr

gdal.UseExceptions()
gdal.SetConfigOption("GDAL_NUM_THREADS", "1")


def dataset(frame, size, nodata, values):
    memory = gdal.GetDriverByName("MEM").Create("", size, size, 1, gdal.GDT_UInt16)
    system = osr.SpatialReference()
    system.SetFromUserInput(frame["crs"])
    memory.SetProjection(system.ExportToWkt())
    a, b, c, d, e, f = frame["affine"]
    memory.SetGeoTransform([c, a, b, f, d, e])
    memory.GetRasterBand(1).SetNoDataValue(nodata)
    memory.GetRasterBand(1).WriteArray(values)
    return memory


def main():
    task = json.loads(sys.stdin.readline())
    size, nodata = task["size"], task["nodata"]
    values = numpy.fromfile(task["file"], dtype=numpy.uint16).reshape(size, size)
    source = dataset(task["source"], size, nodata, values)
    print("ready", flush=True)
    for line in sys.stdin:
        method, threshold = line.split()
        target = dataset(task["target"], size, nodata, numpy.full((size, size), nodata, dtype=numpy.uint16))
        start = time.perf_counter()
        gdal.Warp(
            target, source, resampleAlg=method, errorThreshold=float(threshold), multithread=False, warpMemoryLimit=512
        )
        seconds = time.perf_counter() - start
        out = task["file"] + ".out"
        target.GetRasterBand(1).ReadAsArray().tofile(out)
        print(json.dumps({"mpx": size * size / seconds / 1e6, "file": out}), flush=True)


main()
