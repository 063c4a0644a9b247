import { Command } from 'commander';
import { storeFor } from '../../io/stores.js';
import type { ObservedPixel } from '../../jobs/change/change-pixel.js';
import { type ChangeFigure, changeFigure } from '../../stats/change-figure.js';
import { toJSON } from '../../stats/change-json.js';
import type { Flags } from '../amount-option.js';
import { wordsOf } from '../list-option.js';
import { changePlot, type PlotText } from '../plot/change-plot.js';
import { addPixelOptions, lookAtPixel } from './ccdc-pixel.js';

/** `stackwise ccdc plot <scenes… | table> --at lon,lat --out FILE.svg` */
export function ccdcPlotCommand(): Command {
  return addPixelOptions(new Command('plot'))
    .description('Draw the observations, models and changes of one pixel as SVG.')
    .option('--bands <names>', 'a panel each (default: red,nir,swir1)')
    .option('--title <text>', 'above the picture (default: the place)')
    .option('--out <file>', 'where the picture goes (default: standard output)')
    .option('--json', 'print the numbers behind the picture; with --out beside it')
    .action(run);
}

/** 40.29° N, 106.92° W */
function spelledPlace(lon: number, lat: number): string {
  const part = (value: number, [positive, negative]: readonly [string, string]) =>
    `${Math.abs(value).toFixed(5)}° ${value < 0 ? negative : positive}`;
  return `${part(lat, ['N', 'S'])}, ${part(lon, ['E', 'W'])}`;
}

const capital = (text: string) => text.replace(/^(?:a )?./, (start) => start.slice(-1).toUpperCase());

function amountOf(count: number, noun: string): string {
  return `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`;
}

function plotText({ place, source }: ObservedPixel, figure: ChangeFigure, title: string | undefined): PlotText {
  const { dates, segments, algorithm } = figure;
  const changes = segments.filter(({ changed }) => changed).length;
  const span = dates.length > 0 ? `${dates[0]} to ${dates.at(-1)}` : 'nothing was seen';
  const found = `${amountOf(segments.length, 'segment')}, ${amountOf(changes, 'change')}`;
  return {
    title: title ?? (place ? `Changes at ${spelledPlace(place.lon, place.lat)}` : `Changes in ${source}`),
    subtitle: [...(place ? [capital(source)] : []), span, amountOf(dates.length, 'observation'), found, algorithm].join(
      ' · ',
    ),
  };
}

async function run(sources: string[], flags: Flags): Promise<void> {
  const { observed, changes } = await lookAtPixel(sources, flags);
  const figure = changeFigure(observed.series, changes, { bands: wordsOf(flags, 'bands'), detect: observed.options });
  const words = plotText(observed, figure, flags.title as string | undefined);
  const out = flags.out as string | undefined;
  const isJson = flags.json === true;
  if (out !== undefined) await storeFor(out).write(out, new TextEncoder().encode(changePlot(figure, words)));
  else if (!isJson) process.stdout.write(changePlot(figure, words));
  if (isJson) {
    const { place, source, grid } = observed;
    process.stdout.write(`${JSON.stringify({ ...words, place, source, grid, ...figure, result: toJSON(changes) })}\n`);
  }
}
