"""Writes JPEG 2000 files of many kinds with GDAL into a folder, and prints what GDAL reads of them: JSON, path -> levels."""

import hashlib
import json
import os
import sys

import numpy as np
from osgeo import gdal

gdal.UseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
COMMON = ["GMLJP2=NO", "GeoJP2=NO"]
LOSSLESS = ["REVERSIBLE=YES", "QUALITY=100"]
TILES = ["BLOCKXSIZE=64", "BLOCKYSIZE=64", "RESOLUTIONS=4"]
KINDS = {
    "layers": LOSSLESS[:1] + ["QUALITY=5,20,100", "PLT=YES"] + TILES,
    "layers by resolution": LOSSLESS[:1] + ["QUALITY=5,20,100", "PLT=YES", "PROGRESSION=RLCP"] + TILES,
    "by resolution and place": LOSSLESS + ["PLT=YES", "TLM=YES", "PROGRESSION=RPCL", "PRECINCTS={16,16},{8,8},{8,8}"] + TILES,
    "by place": LOSSLESS + ["PLT=YES", "PROGRESSION=PCRL", "PRECINCTS={16,16},{8,8},{8,8}"] + TILES,
    "by component": LOSSLESS + ["PLT=YES", "PROGRESSION=CPRL"] + TILES,
    "markers": LOSSLESS + ["SOP=YES", "EPH=YES", "PLT=YES", "PRECINCTS={16,16},{16,16},{16,16},{16,16}"] + TILES,
    "lossy": ["QUALITY=20", "PLT=YES", "CODEBLOCK_WIDTH=16", "CODEBLOCK_HEIGHT=32"] + TILES,
    "lossless by the irreversible wavelet": ["QUALITY=100"] + TILES,
    "one tile": LOSSLESS + ["BLOCKXSIZE=200", "BLOCKYSIZE=200", "RESOLUTIONS=6", "PLT=YES"],
    "oblong tiles": LOSSLESS + ["BLOCKXSIZE=96", "BLOCKYSIZE=40", "RESOLUTIONS=5"],
    "one resolution": LOSSLESS + ["BLOCKXSIZE=64", "BLOCKYSIZE=64", "RESOLUTIONS=1"],
}
TYPES = {
    "u8": (gdal.GDT_Byte, np.uint8, 1, 0, 255),
    "rgb": (gdal.GDT_Byte, np.uint8, 3, 0, 255),
    "u16": (gdal.GDT_UInt16, np.uint16, 1, 0, 65535),
    "i16": (gdal.GDT_Int16, np.int16, 1, -32768, 32767),
    "rgb16": (gdal.GDT_UInt16, np.uint16, 3, 0, 10000),
}


def source(kind, rng):
    """A ramp with noise, and an edge."""
    gdal_type, dtype, bands, least, most = TYPES[kind]
    width, height = 157, 131
    y, x = np.mgrid[0:height, 0:width]
    memory = gdal.GetDriverByName("MEM").Create("", width, height, bands, gdal_type)
    for band in range(bands):
        values = least + (most - least) * ((x + y + 20 * band) / 400 + 0.1 * rng.random((height, width)))
        values[40:70, 60:100] = least
        memory.GetRasterBand(band + 1).WriteArray(np.clip(values, least, most).astype(dtype))
    return memory


def levels(path):
    dataset = gdal.Open(path)
    bands = [dataset.GetRasterBand(i + 1) for i in range(dataset.RasterCount)]
    found = []
    for level in range(bands[0].GetOverviewCount() + 1):
        own = bands if level == 0 else [band.GetOverview(level - 1) for band in bands]
        digests = [hashlib.sha256(band.ReadRaster()).hexdigest() for band in own]
        found.append({"width": own[0].XSize, "height": own[0].YSize, "digests": digests})
    return found


folder = sys.argv[1]
out = {}
for name, options in KINDS.items():
    for kind in TYPES:
        path = os.path.join(folder, f"{name}, {kind}.jp2")
        memory = source(kind, np.random.default_rng(7))
        gdal.GetDriverByName("JP2OpenJPEG").CreateCopy(path, memory, options=COMMON + options + ["YCBCR420=NO"])
        # GDAL reads a large tile in parts, and OpenJPEG 2.5.0 does not always do that right.
        out[path] = levels(path)
print(json.dumps(out))
