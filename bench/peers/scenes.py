"""Scenes for bench/scenes.mjs, and the straight way to their median: windows of 1000 rows and one numpy.nanmedian, one thread.

make FOLDER SIZE COUNT    COUNT scenes of one u16 band as COG and JPEG 2000 in Sentinel-2's layout, with items; needs GDAL
median FOLDER tif|jp2 N   N passes; prints seconds and peak memory as JSON; needs rasterio and numpy
"""
import json
import os
import resource
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", GDAL_NUM_THREADS="1")

ROWS = 1000
JP2_OPTIONS = [
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
COG_OPTIONS = ["COMPRESS=DEFLATE", "PREDICTOR=2", "BLOCKSIZE=1024", "OVERVIEWS=NONE"]
TRANSFORM = [10, 0, 600000, 0, -10, 4900020]


def picture(size, date):
    """Smooth land with sensor noise, a stripe without data, and clouds that nobody masked; int16 noise of its own each date."""
    import numpy as np

    rng = np.random.default_rng(date)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    land = 1500 + 600 * np.sin(x / 97) * np.cos(y / 131) + 200 * np.sin((x + y) / 23)
    land += rng.normal(0, 12, (size, size)).astype(np.float32)
    cloud = np.sin(x / 400 + date * 2.1) * np.cos(y / 300 - date * 1.3) > 0.6
    land[cloud] += 5000
    values = np.clip(land, 1, 32767).astype(np.uint16)
    values[:, (date * size) // 9 : (date * size) // 9 + size // 20] = 0
    return values


def make(folder, size, count):
    from osgeo import gdal

    gdal.UseExceptions()
    for kind in ("tif", "jp2"):
        features = []
        for date in range(count):
            memory = gdal.GetDriverByName("MEM").Create("", size, size, 1, gdal.GDT_UInt16)
            a, b, c, d, e, f = TRANSFORM
            memory.SetGeoTransform([c, a, b, f, d, e])
            memory.SetProjection("EPSG:32632")
            memory.GetRasterBand(1).SetNoDataValue(0)
            memory.GetRasterBand(1).WriteArray(picture(size, date))
            path = os.path.join(folder, f"s{date}.{kind}")
            if kind == "tif":
                gdal.GetDriverByName("COG").CreateCopy(path, memory, options=COG_OPTIONS)
            else:
                gdal.GetDriverByName("JP2OpenJPEG").CreateCopy(path, memory, options=JP2_OPTIONS)
            asset = {
                "href": f"./s{date}.{kind}",
                "proj:transform": TRANSFORM,
                "proj:shape": [size, size],
                "raster:bands": [{"data_type": "uint16", "nodata": 0}],
            }
            properties = {"datetime": f"2024-06-{date + 1:02d}T10:00:00Z", "proj:code": "EPSG:32632"}
            item = {"type": "Feature", "stac_version": "1.0.0", "id": f"s{date}", "geometry": None, "links": []}
            features.append({**item, "properties": properties, "assets": {"B04": asset}})
        with open(os.path.join(folder, f"{kind}.json"), "w") as file:
            json.dump({"type": "FeatureCollection", "features": features}, file)
    print(json.dumps({"gdal": gdal.__version__}))


def median(folder, kind, passes):
    import numpy as np
    import rasterio
    from rasterio.windows import Window

    names = sorted(name for name in os.listdir(folder) if name.endswith(f".{kind}"))
    seconds = []
    for _ in range(passes):
        start = time.perf_counter()
        files = [rasterio.open(os.path.join(folder, name)) for name in names]
        profile = {"driver": "GTiff", "width": files[0].width, "height": files[0].height, "count": 1, "dtype": "uint16"}
        with rasterio.open(os.path.join(folder, "median.peer"), "w", **profile) as out:
            for row in range(0, files[0].height, ROWS):
                window = Window(0, row, files[0].width, min(ROWS, files[0].height - row))
                stack = np.stack([file.read(1, window=window) for file in files]).astype(np.float32)
                stack[stack == 0] = np.nan
                with np.errstate(all="ignore"):
                    middle = np.nanmedian(stack, axis=0)
                out.write(np.nan_to_num(middle).astype(np.uint16), 1, window=window)
        for file in files:
            file.close()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peakBytes": peak, "rasterio": rasterio.__version__, "numpy": np.__version__}))


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    median(sys.argv[2], sys.argv[3], int(sys.argv[4]))
