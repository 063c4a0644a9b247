"""Indexes a product and a dataset (two paths) in a data cube in memory and opens the item beside them; what was found as JSON on stdout."""
import json
import sys
import warnings

warnings.simplefilter("ignore")

import pystac
import yaml
from datacube import Datacube
from datacube.cfg import ODCConfig
from datacube.index.hl import Doc2Dataset
from odc.stac import parse_item

product_path, dataset_path, item_path = sys.argv[1:]
cube = Datacube(config=ODCConfig(raw_dict={"default": {"index_driver": "memory"}}))
with open(product_path) as file:
    definition = yaml.safe_load(file)
product = cube.index.products.add(cube.index.products.from_doc(definition))
with open(dataset_path) as file:
    document = yaml.safe_load(file)
dataset, error = Doc2Dataset(cube.index, skip_lineage=True)(document, f"file://{dataset_path}")
if error:
    raise ValueError(error)
cube.index.datasets.add(dataset, with_lineage=False)
(found,) = cube.find_datasets(product=definition["name"])
item = pystac.Item.from_file(item_path)
(grid,) = parse_item(item).geoboxes()
hints = product.load_hints()
print(
    json.dumps(
        {
            "id": str(found.id),
            "bounds": list(found.extent.boundingbox.bbox),
            "bands": sorted(found.measurements),
            "resolution": [hints["resolution"].x, hints["resolution"].y],
            "collection": item.get_collection().id,
            "files": [asset.get_absolute_href() for asset in item.assets.values()],
            "transform": list(grid.transform)[:6],
            "shape": list(grid.shape),
        }
    )
)
