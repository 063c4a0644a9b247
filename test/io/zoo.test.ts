import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openCog } from '../../build/io/cog.js';
import { fileStore } from '../../build/io/file.js';
import { compareFile, hasValues, isTiff, readCorpus } from './corpus.js';

const corpus = readCorpus('tiff-zoo');
const title = 'the zoo of TIFFs, as GDAL reads them';

describe.skipIf(!corpus)(corpus ? title : `${title} (skipped: there is no tiff-zoo)`, () => {
  const outcomes = new Map<string, number>();
  const count = (key: string): void => {
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  };
  const files = corpus?.files ?? [];

  for (const [name, expected] of files.filter(([, e]) => hasValues(e))) {
    it(name, async () => {
      const url = path.join(corpus!.folder, name);
      let differences: string[];
      try {
        differences = await compareFile(url, expected);
      } catch (error) {
        expect((error as Error).name, (error as Error).message).toBe('UnsupportedError');
        count(`refused: ${(error as Error).message.replace(url, '').replace(/^: /, '')}`);
        return;
      }
      expect(differences).toEqual([]);
      count('read');
    });
  }

  it('what GDAL does not decode is refused, or is too large to compare', async () => {
    for (const [name, expected] of files.filter(([n, e]) => isTiff(n) && !hasValues(e))) {
      if (expected.band_info?.some((band) => band.note)) continue;
      const url = path.join(corpus!.folder, name);
      const error = await compareFile(url, expected).then(
        (differences) => new Error(`was read: ${differences.join('; ')}`),
        (e: Error) => e,
      );
      // A width that GDAL cannot hold is no fault of the file; it is only too large to read whole.
      expect(['UnsupportedError', 'FormatError', 'InputError'], `${name}: ${error.message}`).toContain(error.name);
      count('refused, as by GDAL');
    }
  });

  it('the CRS has the code that GDAL finds, or GDAL finds none', async () => {
    const differs: string[] = [];
    for (const [name, expected] of files.filter(([, e]) => hasValues(e) && e.epsg)) {
      const raster = await openCog(path.join(corpus!.folder, name), { store: fileStore() }).catch(() => null);
      const epsg = raster?.header.grid?.crs.epsg;
      if (raster?.header.grid && String(epsg) !== expected.epsg)
        differs.push(`${name}: ${epsg}, GDAL ${expected.epsg}`);
    }
    // A compound system of 4326 and ellipsoidal heights, which GDAL turns into its 3D system.
    expect(differs).toEqual(['gdal/epsg4326_5030_geotiff1_1.tif: 4326, GDAL 4979']);
  });

  afterAll(() => {
    const rows = [...outcomes].sort((p, q) => q[1] - p[1]).map(([what, n]) => `${String(n).padStart(4)}  ${what}`);
    console.log(`${title}:\n${rows.join('\n')}`);
    expect(outcomes.get('read')).toBeGreaterThanOrEqual(310);
  });
});

it.skipIf(!corpus)(
  corpus ? 'JPEG 2000 files are no TIFFs, and named' : 'JPEG 2000 files (skipped: there is no tiff-zoo)',
  async () => {
    for (const [name] of (corpus?.files ?? []).filter(([n]) => !isTiff(n))) {
      const error = await openCog(path.join(corpus!.folder, name), { store: fileStore() }).then(
        () => null,
        (e: Error) => e,
      );
      expect(['UnsupportedError', 'FormatError'], name).toContain(error?.name);
    }
  },
);
