import { describe, expect, it } from 'vitest';
import { crsOfTile, formatTileId, parseTileId } from '../../build/geo/mgrs.js';

describe('tile ids', () => {
  it.each([
    ['1CCA', '1CCA', 32701],
    ['01CCA', '1CCA', 32701],
    ['10UDV', '10UDV', 32610],
    ['T31UDS', '31UDS', 32631],
    ['60xzv', '60XZV', 32660],
    ['18NAA', '18NAA', 32618],
    ['18MAA', '18MAA', 32718],
  ])('%s is %s in EPSG:%i', (text, id, epsg) => {
    expect(formatTileId(parseTileId(text))).toBe(id);
    expect(crsOfTile(parseTileId(text)).epsg).toBe(epsg);
  });

  it.each([
    ['10IDV', 'no latitude band I'],
    ['61UDV', 'no UTM zone 61'],
    ['0CCA', 'no UTM zone 0'],
    ['00CCA', 'no UTM zone 00'],
    ['10ODV', 'no latitude band O'],
    ['10BDV', 'no latitude band B'],
    ['10YDV', 'no latitude band Y'],
    ['10UIV', 'no column I'],
    ['10UDW', 'no row W'],
    ['10UDO', 'no row O'],
    ['10UD', 'zone (1 to 60)'],
    ['', 'zone (1 to 60)'],
    ['010UDV', 'zone (1 to 60)'],
  ])('%s is refused: %s', (text, reason) => {
    expect(() => parseTileId(text)).toThrow(reason);
  });
});
