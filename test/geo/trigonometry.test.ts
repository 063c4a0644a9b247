import { describe, expect, it } from 'vitest';
import { angleOf, sineCosine } from '../../build/geo/trigonometry.js';
import { seeded } from '../random.js';

describe('sines and angles without Math', () => {
  it("are Math's but for the last digits", () => {
    const random = seeded(5);
    const angles = Array.from({ length: 20_000 }, () => (random() - 0.5) * 14);
    for (const angle of [...angles, 0, Math.PI / 2, -Math.PI / 2, Math.PI, Math.PI / 4, 1e-9, 1e-300]) {
      const [sine, cosine] = sineCosine(angle);
      expect(Math.abs(sine - Math.sin(angle))).toBeLessThan(1e-15);
      expect(Math.abs(cosine - Math.cos(angle))).toBeLessThan(1e-15);
      const length = 10 ** ((random() - 0.5) * 20);
      const found = angleOf(length * Math.cos(angle), length * Math.sin(angle));
      expect(Math.abs(found - Math.atan2(Math.sin(angle), Math.cos(angle)))).toBeLessThan(1.5e-15);
    }
  });
  it('know the axes, and nowhere', () => {
    expect([angleOf(1, 0), angleOf(0, 1), angleOf(-1, 0), angleOf(0, -1), angleOf(0, 0)]).toEqual([
      0,
      Math.PI / 2,
      Math.PI,
      -Math.PI / 2,
      0,
    ]);
    expect(sineCosine(0)).toEqual([0, 1]);
    expect(sineCosine(Number.NaN)).toEqual([Number.NaN, Number.NaN]);
    expect(angleOf(Number.NaN, 1)).toBeNaN();
    expect(angleOf(1, Number.NaN)).toBeNaN();
  });
});
