import { expect, it } from 'vitest';
import { readWindow } from '../../build/io/window.js';
import { HEIGHT, JP2, jp2Bytes, openBytes, WIDTH } from '../fixture/jp2.js';

it.each(Object.entries(JP2))('JPEG 2000 has the pixels that Node reads: %s', async (_, fixture) => {
  const raster = await openBytes(jp2Bytes(fixture));
  for (let band = 0; band < fixture.bands; band++) {
    const window = { col: 0, row: 0, width: WIDTH, height: HEIGHT };
    const [got] = await readWindow(raster, { level: 0, window, bands: [band] });
    const want = Array.from({ length: WIDTH * HEIGHT }, (_, i) =>
      fixture.value(band, i % WIDTH, Math.floor(i / WIDTH)),
    );
    expect(Array.from(got as Uint16Array)).toEqual(want);
  }
});
