import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timeAxis, valueAxis } from '../../build/app/plot/axis.js';
import { changePlot } from '../../build/app/plot/change-plot.js';
import { fitting, textWidth } from '../../build/app/plot/svg.js';
import { parseXml } from '../../build/io/xml.js';
import { detect, detectScenes, PYCCD_BANDS, predict, toJSON, toOrdinal } from '../../build/node.js';
import { changeFigure } from '../../build/stats/change-figure.js';
import { type ChangeScenes, CORNER, changeScenes } from '../fixture/change-scenes.js';
import { pixelSeries } from '../fixture/pixel-series.js';

const cli = path.resolve('build/app/cli.js');
const stackwise = (...args: string[]) => spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });

let folder = '';
let scenes: ChangeScenes;
const at = (name: string) => path.join(folder, name);
/** A pixel with a change, as lists. */
const series = pixelSeries(5, { years: 12, stepDays: 12, cloudy: 0.3 });
const bands = Object.fromEntries(PYCCD_BANDS.map((name, b) => [name, series.bands[b]!]));
const input = { dates: series.dates, bands, qa: series.qa, qaScheme: 'fmask' } as const;
const changes = detect(input);
const figure = changeFigure(input, changes, { detect: { qaScheme: 'fmask' } });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-plot-'));
  scenes = await changeScenes(at('scenes'), 'c1', { years: 4 });
  await writeFile(at('pixel.json'), JSON.stringify({ dates: series.dates, ...bands, fmask: series.qa }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Elements of an SVG; throws where it is no XML. */
function elements(svg: string) {
  const all: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const visit = (node: ReturnType<typeof parseXml>) => {
    all.push({
      name: node.name,
      attributes: Object.fromEntries(Object.entries(node.attributes ?? {})),
      text: node.text,
    });
    for (const child of node.children) visit(child);
  };
  visit(parseXml(new TextEncoder().encode(svg), 'x.svg'));
  return all;
}

describe('the numbers behind a picture', () => {
  it('are the observations with what became of them', () => {
    const used = figure.states.filter((state) => state === 'used').length;
    expect(used).toBe(toJSON(changes).processing_mask.reduce((sum, n) => sum + n, 0));
    expect(used).toBeGreaterThan(20);
    const cloud = series.qa.filter((qa) => qa === 4).length;
    expect(figure.states.filter((state) => state === 'cloud').length).toBe(cloud);
    expect(figure.days).toHaveLength(series.qa.filter((qa) => qa !== 255).length);
    expect(figure.bands.map(({ name }) => name)).toEqual(['red', 'nir', 'swir1']);
  });

  it('have curves that are the values of the models', () => {
    const whole = changeFigure(input, changes, { bands: ['nir', 'thermal'], detect: { qaScheme: 'fmask' } });
    expect(whole.segments.length).toBeGreaterThan(0);
    for (const [i, { days, startDay, endDay }] of whole.segments.entries()) {
      expect([days[0], days.at(-1)]).toEqual([startDay, endDay]);
      const values = predict(changes.segments, endDay);
      expect(whole.bands[0]!.curves[i]!.at(-1)).toBeCloseTo(values[3]! / 10_000, 9);
      expect(whole.bands[1]!.curves[i]!.at(-1)).toBeCloseTo(values[6]! / 100, 9);
    }
    expect(whole.bands[1]!.values[0]).toBeCloseTo(series.bands[6]![0]! / 10 - 273.15, 9);
  });

  it.each([54, 99])('have temperatures of models of snow, which are in kelvin, whatever their code (%i)', (code) => {
    const detected = { qaScheme: 'fmask', params: { CURVE_QA: { PERSIST_SNOW: code } as never } } as const;
    const snow = { ...input, qa: series.qa.map((qa) => (qa === 255 ? qa : 3)) };
    const found = detect({ ...snow, ...detected });
    const { segments, bands: own } = changeFigure(snow, found, { bands: ['thermal'], detect: detected });
    expect(segments.map(({ curveQa }) => curveQa)).toEqual([code]);
    const kelvin10 = predict(found.segments, segments[0]!.endDay)[6]!;
    expect(own[0]!.curves[0]!.at(-1)).toBeCloseTo(kelvin10 / 10 - 273.15, 9);
  });

  it('are of the bands and dates that there are', () => {
    const wrong = () => changeFigure(input, changes, { bands: ['nri'], detect: { qaScheme: 'fmask' } });
    expect(wrong).toThrow(/no band "nri".*: give some of blue, green/);
    const other = { ...input, dates: series.dates.map((day) => day + 1) };
    expect(() => changeFigure(other, changes)).toThrow(/results are of \d+ other dates/);
  });
});

describe('axes', () => {
  it('leave few outliers out, and follow curves that stay near', () => {
    const values = Array.from({ length: 200 }, (_, i) => 0.1 + 0.001 * i);
    const axis = valueAxis([...values, 9], []);
    expect(axis.to).toBeLessThan(0.4);
    expect(axis.from).toBeLessThan(0.105);
    expect(valueAxis(values, [0.35, 80]).to).toBeLessThan(0.6);
    expect(valueAxis(values, [0.35]).to).toBeGreaterThan(0.35);
    expect(axis.ticks.length).toBeGreaterThanOrEqual(3);
    expect(axis.ticks.map(({ label }) => Number(label))).toEqual(
      [...axis.ticks.map(({ label }) => Number(label))].sort((a, b) => a - b),
    );
  });

  it.each([[[]], [[5]], [[0, 0, 0]], [[-3, -1]]])('stand for %j too', (values) => {
    const { from, to, ticks } = valueAxis(values, []);
    expect(to).toBeGreaterThan(from);
    expect(ticks.length).toBeGreaterThan(0);
    expect(ticks.every(({ label }) => /^\u2212?\d+(\.\d+)?$/.test(label))).toBe(true);
  });

  it.each([
    ['1984-04-17', '2013-05-27', /^\d{4}$/],
    ['2014-01-01', '2015-06-01', /^\d{4}-\d{2}$/],
    ['2014-01-01', '2014-01-01', /^\d{4}-\d{2}$/],
    ['0001-01-01', '9999-12-31', /^\d{4}$/],
  ])('have labels of time that are apart, %s to %s', (first, last, label) => {
    const { from, to, ticks } = timeAxis(toOrdinal(first), toOrdinal(last), { widthPx: 870 });
    const labels = ticks.filter((tick) => tick.label !== '');
    expect(labels.every((tick) => label.test(tick.label) && tick.at >= from && tick.at <= to)).toBe(true);
    for (let i = 1; i < labels.length; i++) {
      expect(((labels[i]!.at - labels[i - 1]!.at) * 870) / (to - from)).toBeGreaterThan(
        textWidth(labels[i]!.label, 12),
      );
    }
    expect(ticks.length).toBeLessThan(400);
  });

  it('shorten text that does not fit', () => {
    expect(fitting('short', 12, 100)).toBe('short');
    expect(fitting('x'.repeat(100), 12, 100)).toMatch(/^x+…$/);
    expect(textWidth(fitting('x'.repeat(100), 12, 100), 12)).toBeLessThanOrEqual(100);
  });
});

describe('the picture', () => {
  const words = { title: 'A & B <script>alert("x")</script>\u0007', subtitle: 'one · two' };

  it('is XML, the same each time, that stands alone on white', () => {
    const svg = changePlot(figure, words);
    expect(changePlot(figure, words)).toBe(svg);
    expect(svg.length).toBeLessThan(200_000);
    expect(svg).not.toMatch(/NaN|undefined|Infinity|<script|href|url\(/);
    const all = elements(svg);
    expect(all[0]!.name).toBe('svg');
    expect(all.filter(({ name }) => name === 'text').map(({ text }) => text)).toContain(
      'A & B <script>alert("x")</script>',
    );
    expect(all.find(({ name }) => name === 'rect')!.attributes).toMatchObject({ fill: '#ffffff', width: '960' });
  });

  it('names the days of changes, and has a curve a segment and band', () => {
    const svg = changePlot(figure, words);
    for (const { changed, break: date } of figure.segments) if (changed) expect(svg).toContain(`>${date}<`);
    const curves = elements(svg).filter(({ attributes }) => attributes['stroke-linejoin'] === 'round');
    expect(curves).toHaveLength(figure.bands.length * figure.segments.length);
  });

  it('is there for a pixel in which nothing is found, or seen', () => {
    const qa = series.qa.map(() => 255);
    const nothing = changeFigure({ ...input, qa }, detect({ ...input, qa }), { detect: { qaScheme: 'fmask' } });
    const svg = changePlot(nothing, words);
    expect(elements(svg)[0]!.name).toBe('svg');
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('stays small for thousands of dates', () => {
    const dense = pixelSeries(3, { years: 40, stepDays: 5, cloudy: 0.4 });
    const own = {
      dates: dense.dates,
      bands: Object.fromEntries(PYCCD_BANDS.map((name, b) => [name, dense.bands[b]!])),
      qa: dense.qa,
    };
    const svg = changePlot(
      changeFigure(own, detect({ ...own, qaScheme: 'fmask' }), { detect: { qaScheme: 'fmask' } }),
      words,
    );
    expect(dense.dates.length).toBeGreaterThan(2500);
    expect(svg.length).toBeLessThan(200_000);
  });
});

describe('stackwise ccdc plot and pixel', () => {
  const place = ['--pixel', `${CORNER.x + 60},${CORNER.y - 30}`];

  it('look at a pixel of scenes, whose results are those of the chip', async () => {
    await detectScenes(scenes.items, { store: at('store') }, { threads: 0 });
    const out = at('pixel.svg');
    const anew = stackwise('ccdc', 'plot', scenes.items, ...place, '--out', out, '--json');
    expect(anew.stderr).toBe('');
    const told = JSON.parse(anew.stdout);
    const [own] = [scenes.bands[9]!];
    const wanted = detect({
      dates: scenes.dates,
      bands: Object.fromEntries(PYCCD_BANDS.map((name, b) => [name, Int16Array.from(own[b]!)])),
      qa: scenes.qa[9]!,
    });
    expect(told.result).toEqual(toJSON(wanted));
    expect(told.place).toMatchObject({ x: CORNER.x + 75, y: CORNER.y - 45 });
    const svg = await readFile(out, 'utf8');
    expect(elements(svg)[0]!.name).toBe('svg');
    expect(svg).toContain('Landsat Collection 1');
    expect((await readdir(folder)).filter((name) => name.endsWith('.partial'))).toEqual([]);
    const kept = stackwise('ccdc', 'plot', scenes.items, ...place, '--store', at('store'));
    expect(kept.stdout).toBe(svg);
    const { lon, lat } = told.place;
    const byDegrees = stackwise('ccdc', 'pixel', scenes.items, '--at', `${lon},${lat}`);
    expect(JSON.parse(byDegrees.stdout)).toEqual(toJSON(wanted));
  }, 60_000);

  it('look at a table', () => {
    const drawn = stackwise('ccdc', 'plot', at('pixel.json'), '--bands', 'green,thermal', '--title', 'A place');
    expect(drawn.status).toBe(0);
    expect(
      elements(drawn.stdout)
        .filter(({ name }) => name === 'text')
        .map(({ text }) => text),
    ).toEqual(expect.arrayContaining(['A place', 'Green (reflectance)', 'Temperature (°C)']));
    const { stdout } = stackwise('ccdc', 'pixel', at('pixel.json'));
    expect(JSON.parse(stdout)).toEqual(toJSON(changes));
  });

  it.each([
    [['plot'], 2, /missing required argument/],
    [['plot', 'ITEMS'], 1, /which pixel of the scenes: give --at lon,lat or --pixel x,y/],
    [['plot', 'ITEMS', '--at', '1'], 1, /--at: two numbers are wanted/],
    [['plot', 'ITEMS', '--at', '1,2', '--pixel', '3,4'], 2, /not both --at and --pixel/],
    [
      ['plot', 'ITEMS', '--at', '500070,5200110'],
      1,
      /500070,5200110 is no longitude and latitude: say in which CRS with --at-crs/,
    ],
    [['plot', 'ITEMS', '--at', '10,50'], 1, /none of the \d+ scenes overlaps the area/],
    [['plot', 'TABLE', '--at', '1,2'], 1, /is a table of one place/],
    [
      ['plot', 'ITEMS', '--pixel', 'CORNER', '--grid', 'conus', '--store', 'FOLDER/store'],
      1,
      /none of the|is on the grid native, and the pixel on conus/,
    ],
    [
      ['plot', 'ITEMS', '--pixel', 'CORNER', '--datetime', '1985-01-01/..', '--store', 'FOLDER/store'],
      1,
      /results are of \d+ other dates/,
    ],
    [['x.csv', '--json-out', 'FOLDER/j'], 1, /x.csv is a table of pixels: ccdc pixel and ccdc plot read such/],
    [['plot', 'TABLE', '--bands', 'ndvi'], 1, /--bands: there is no band "ndvi"/],
    [['pixel', 'TABLE', '--store', 'nowhere'], 1, /nowhere/],
    [['plot', 'TABLE', '--out', 'FOLDER/none/x.svg'], 1, /cannot write .*x.svg: no such folder/],
  ])('%j fails in one line', (args, status, message) => {
    const spelled = args.map((arg) =>
      arg
        .replace('ITEMS', scenes.items)
        .replace('TABLE', at('pixel.json'))
        .replace('FOLDER', folder)
        .replace('CORNER', `${CORNER.x},${CORNER.y}`),
    );
    const found = stackwise('ccdc', ...spelled);
    expect(found.status, found.stderr).toBe(status);
    expect(found.stderr).toMatch(message);
    expect(found.stderr.trim().split('\n')).toHaveLength(1);
    expect(found.stdout).toBe('');
  });

  it('are told by --help', () => {
    expect(stackwise('ccdc', '--help').stdout).toMatch(/plot \[options\] <sources\.\.\.>/);
    expect(stackwise('ccdc', 'plot', '--help').stdout).toMatch(/--thermal-unit <unit>/);
  });
});

const readme = path.resolve('docs/ccdc.svg');
const yatsm = path.resolve(process.env.STACKWISE_DATA ?? '../shared/data', 'landsat-yatsm-p035r032-5x5');

describe.skipIf(!existsSync(yatsm))('the picture of the README (skipped without STACKWISE_DATA)', () => {
  it('is what the command draws', async () => {
    const units = ['--qa-scheme', 'fmask', '--thermal-unit', 'celsius-100'];
    const { stdout } = stackwise('ccdc', 'plot', yatsm, ...units, '--pixel', '336510,4462290');
    expect(stdout).toBe(await readFile(readme, 'utf8'));
  });
});
