"""What eodatasets3 makes of the inputs of a tile, as odc-stats asks it to: the dataset and the STAC item as JSON on stdout.

Reads JSON on stdin: scenes (id, properties), product, tile and file names.
"""
import json
import sys
import warnings
from datetime import datetime
from pathlib import Path

warnings.simplefilter("ignore")

from affine import Affine
from eodatasets3 import serialise
from eodatasets3.assemble import DatasetPrepare
from eodatasets3.images import GridSpec
from eodatasets3.scripts.tostac import json_fallback
from eodatasets3.stac import to_stac_item
from rasterio.crs import CRS
from shapely.geometry import shape

given = json.load(sys.stdin)
product = given["product"]
maker = DatasetPrepare(
    naming_conventions=product["namingConventions"],
    dataset_location=Path("/"),
    dataset_id=given["uuid"],
    allow_absolute_paths=True,
)
for scene in given["scenes"]:
    source = serialise.from_doc(
        {
            "$schema": "",
            "id": scene["uuid"],
            "product": {"name": "input"},
            "properties": scene["properties"],
        },
        skip_validation=True,
    )
    maker.add_source_dataset(
        source,
        classifier=product["classifier"],
        auto_inherit_properties=True,
        inherit_geometry=False,
        inherit_skip_properties=product["inheritSkip"],
    )
own = [scene["properties"] for scene in given["scenes"]]
maker.platform = ",".join(sorted({p["eo:platform"] for p in own}))
maker.instrument = "_".join(sorted({p["eo:instrument"] for p in own}))
maker.geometry = shape(given["geometry"])
maker.datetime = given["start"]
maker.properties["dtr:start_datetime"] = given["start"]
maker.properties["dtr:end_datetime"] = given["end"]
for name, value in {
    "odc:file_format": "GeoTIFF",
    "odc:product_family": product["family"],
    "odc:producer": product["producer"],
    **product["properties"],
}.items():
    maker.properties[name] = value
maker.product_name = product["name"]
maker.dataset_version = product["version"]
maker.region_code = given["regionCode"]
maker.processed = datetime.fromisoformat(given["processedAt"].replace("Z", "+00:00"))
maker.maturity = product["maturity"]
maker.collection_number = product["collectionNumber"]
grid = GridSpec(
    shape=tuple(given["shape"]),
    transform=Affine(*given["transform"]),
    crs=CRS.from_epsg(given["epsg"]),
)
for band, name in given["bands"].items():
    maker.note_measurement(band, name, expand_valid_data=False, grid=grid)
for key, name in given["accessories"].items():
    maker._accessories[key] = name
document = maker.to_dataset_doc()
item = to_stac_item(
    dataset=document,
    stac_item_destination_url=given["item"],
    dataset_location=given["item"],
    odc_dataset_metadata_url=given["dataset"],
    explorer_base_url=product["explorerPath"],
)
dataset = serialise.to_doc(document)
print(json.dumps({"dataset": dataset, "item": item}, default=json_fallback))
