"""Reads a GeoTIFF block by block with GDAL on one thread; prints seconds per pass as JSON. Modes: make FILE SIZE | read FILE N."""
import json
import sys
import time

from osgeo import gdal

gdal.UseExceptions()
gdal.SetConfigOption("GDAL_NUM_THREADS", "1")
gdal.SetCacheMax(16 << 20)


def make(path, size):
    """Smooth terrain with sensor noise, the kind of picture that deflate finds a third to save in."""
    import numpy as np

    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    values = 2000 + 800 * np.sin(x / 97) * np.cos(y / 131) + rng.normal(0, 12, (size, size))
    memory = gdal.GetDriverByName("MEM").Create("", size, size, 1, gdal.GDT_UInt16)
    memory.GetRasterBand(1).WriteArray(values.astype(np.uint16))
    options = ["COMPRESS=DEFLATE", "PREDICTOR=2", "BLOCKSIZE=512", "OVERVIEWS=NONE"]
    copy = gdal.GetDriverByName("COG").CreateCopy(path, memory, options=options)
    copy.FlushCache()


def read(path, passes):
    seconds = []
    for _ in range(passes):
        start = time.perf_counter()
        dataset = gdal.Open(path)
        band = dataset.GetRasterBand(1)
        width, height = band.GetBlockSize()
        for row in range(0, dataset.RasterYSize, height):
            for col in range(0, dataset.RasterXSize, width):
                w, h = min(width, dataset.RasterXSize - col), min(height, dataset.RasterYSize - row)
                band.ReadRaster(col, row, w, h)
        seconds.append(time.perf_counter() - start)
        dataset = None
    return seconds


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]))
    print(json.dumps({"gdal": gdal.__version__}))
else:
    print(json.dumps({"gdal": gdal.__version__, "seconds": read(sys.argv[2], int(sys.argv[3]))}))
