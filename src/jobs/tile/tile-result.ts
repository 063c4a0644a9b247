// A finished output tile: what its documents are made of.
import type { Grid, GroundPolygons } from '../../geo/grid.js';
import type { BandStatistics } from '../../io/cog-writer.js';
import type { Dtype } from '../../io/raster.js';
import type { Json } from '../../io/stac-item.js';
import type { Task } from '../task/task.js';
import type { Product } from './product.js';

export type { GroundPolygons } from '../../geo/grid.js';

/** A file of a tile, whole and with its final name. */
export interface TileFile {
  /** Without a folder: `ga_ls8c_gm_x05y06_2019--P1Y_final_nbart_red.tif`. */
  name: string;
  /** Bands hold the numbers; `rgba` is a picture of them in full size, the thumbnail a small one. */
  kind: 'band' | 'rgba' | 'thumbnail';
  /** The name of the band; `rgba` or `thumbnail` for the others. */
  key: string;
  /** Of a COG `image/tiff; application=geotiff; profile=cloud-optimized`. */
  mediaType: string;
  bytes: number;
  /** Hexadecimal. */
  sha1: string;
  /** Hexadecimal. */
  sha256: string;
  /** Of rasters, else null. */
  raster: {
    dtype: Dtype;
    nodata: number | null;
    /** One a band. */
    statistics: readonly BandStatistics[];
    /** Stored value × scale + offset = physical value; 1 and 0 when not given. */
    scale?: number;
    offset?: number;
  } | null;
}

/** What became of one task. */
export interface TileResult {
  /** Its scenes are those that were used: filtered, without those that could not be read. */
  task: Task;
  product: Product;
  /** Of the outputs; `--resolution` makes it differ from the task's. */
  grid: Grid;
  /** Equal inputs of an equal product have an equal one, see `odcUuid`. */
  uuid: string;
  /** `{short_name}_{region code}_{period}[_{maturity}]`: begins the names of all files. */
  title: string;
  /** As the product's format writes it. */
  regionCode: string;
  /** Path or URL of the folder of the files. */
  folder: string;
  files: readonly TileFile[];
  /** Where there is valid data; empty where nothing is. */
  footprint: GroundPolygons;
  /** Scenes of the task that could not be read, and why. */
  dropped: readonly { id: string; uuid: string; reason: string }[];
  /** The plugin's name, and all keys of the configuration that shaped the numbers. */
  plugin: string;
  config: Json;
  /** When the tile was made, ISO 8601 UTC. */
  processedAt: string;
}
