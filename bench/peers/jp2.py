"""Reads JPEG 2000 tile by tile with GDAL on one thread; prints seconds per pass as JSON. Modes: make FILE SIZE [SEED] | read FILE N
[LEVEL]."""
import json
import sys
import time

from osgeo import gdal

gdal.UseExceptions()
gdal.SetConfigOption("GDAL_NUM_THREADS", "1")
gdal.SetConfigOption("OPJ_NUM_THREADS", "1")
gdal.SetCacheMax(16 << 20)
# The layout of Sentinel-2's 10 m bands; the baselines before 05.12 have no index of tiles (TLM).
LAYOUT = [
    "BLOCKXSIZE=1024",
    "BLOCKYSIZE=1024",
    "RESOLUTIONS=5",
    "PRECINCTS={256,256},{256,256},{256,256},{256,256},{256,256}",
    "NBITS=15",
    "PROGRESSION=LRCP",
    "PLT=YES",
    "REVERSIBLE=YES",
    "QUALITY=100",
]


def make(path, size, seed):
    """Smooth terrain with sensor noise: about 6 bits a pixel, as over land."""
    import numpy as np

    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    values = 2000 + 800 * np.sin(x / 97) * np.cos(y / 131) + rng.normal(0, 12, (size, size))
    memory = gdal.GetDriverByName("MEM").Create("", size, size, 1, gdal.GDT_UInt16)
    memory.GetRasterBand(1).WriteArray(values.astype(np.uint16))
    gdal.GetDriverByName("JP2OpenJPEG").CreateCopy(path, memory, options=LAYOUT)


def read(path, passes, level):
    seconds = []
    for _ in range(passes):
        start = time.perf_counter()
        dataset = gdal.Open(path)
        band = dataset.GetRasterBand(1)
        band = band if level == 0 else band.GetOverview(level - 1)
        step = 1024 >> level
        for row in range(0, band.YSize, step):
            for col in range(0, band.XSize, step):
                band.ReadRaster(col, row, min(step, band.XSize - col), min(step, band.YSize - row))
        seconds.append(time.perf_counter() - start)
        dataset = None
    return seconds


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 5)
    print(json.dumps({"gdal": gdal.__version__}))
else:
    level = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    print(json.dumps({"gdal": gdal.__version__, "seconds": read(sys.argv[2], int(sys.argv[3]), level)}))
