"""Prints what GDAL makes of the files named on the command line: one JSON object, path -> facts."""

import hashlib
import json
import sys

from osgeo import gdal
from osgeo_utils.samples.validate_cloud_optimized_geotiff import validate

gdal.UseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")


def facts(path):
    dataset = gdal.Open(path)
    warnings, errors, _ = validate(dataset, full_check=True)
    srs = dataset.GetSpatialRef()
    bands = []
    for i in range(1, dataset.RasterCount + 1):
        band = dataset.GetRasterBand(i)
        try:
            computed = band.ComputeStatistics(False)
        except RuntimeError:
            computed = None
        bands.append(
            {
                "description": band.GetDescription(),
                "type": gdal.GetDataTypeName(band.DataType),
                "scale": band.GetScale(),
                "offset": band.GetOffset(),
                "nodata": str(band.GetNoDataValue()),
                "computed": computed,
                "sha256": hashlib.sha256(band.ReadRaster()).hexdigest(),
                "colour": gdal.GetColorInterpretationName(band.GetColorInterpretation()),
                "blocks": [
                    level.GetBlockSize() for level in [band, *(band.GetOverview(k) for k in range(band.GetOverviewCount()))]
                ],
                "overviews": [[band.GetOverview(k).XSize, band.GetOverview(k).YSize] for k in range(band.GetOverviewCount())],
            }
        )
    gdal.DontUseExceptions()  # a band without a valid pixel is no reason to give up the others
    shown = gdal.Info(path, format="json", stats=True)
    gdal.UseExceptions()
    for band, info in zip(bands, shown["bands"]):
        band["shown"] = [info.get(key) for key in ("minimum", "maximum", "mean", "stdDev")]
    return {
        "warnings": warnings,
        "errors": errors,
        "authority": srs and srs.GetAuthorityCode(None),
        "proj4": srs and srs.ExportToProj4(),
        "transform": dataset.GetGeoTransform(),
        "metadata": dataset.GetMetadata(),
        "structure": dataset.GetMetadata("IMAGE_STRUCTURE"),
        "bands": bands,
    }


gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")
print(json.dumps({path: facts(path) for path in sys.argv[1:]}))
