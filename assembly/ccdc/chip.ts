// The ABI of change detection: tables of a chip are made once, then pixels of strips are run one by one. See src/kernels/ccdc.ts.
import { alloc, mark, release } from '../memory';
import { flagClosest, N_KEY } from './closest';
import { fitAll } from './model';
import { observe, writeMask } from './observe';
import { detectPixel } from './procedure';
import { append, BAND_NUMBERS, clearMagnitudes, HEAD_NUMBERS } from './segment';
import { BLOCK_BYTES, Chip, FEATURE_BYTES, Fit, PADDING, Pixel } from './state';
import { fitPair, tmaskScratch } from './tmask';
import { adjustPeek, variogram } from './variogram';

/** Slow cycles up to so many years are kept in tables. */
const MOST_SLOW: i32 = 64;
/** Quarter days of 365.25 days. */
const YEAR_QUARTERS: i32 = 1461;
/** More than all that does not grow with the dates takes for 64 bands. */
const FIXED_BYTES: usize = 65536;

/** Phases of the chip's dates. Features and slow cycles are computed when a pixel first needs them. */
function makeTables(chip: Chip): void {
  memory.fill(chip.features, 0, <usize>chip.nTime << 6);
  for (let t = 0; t < chip.nTime; t++) {
    store<u16>(chip.phases + (t << 1), <u16>((<i64>load<i32>(chip.days + (t << 2)) * 4) % YEAR_QUARTERS));
  }
}

/** f64[19] -> the parameters, in this order. */
function readSettings(chip: Chip, settings: usize): void {
  chip.meowSize = <i32>load<f64>(settings);
  chip.peekSize = <i32>load<f64>(settings, 8);
  chip.dayDelta = <i32>load<f64>(settings, 16);
  chip.avgDaysYr = load<f64>(settings, 24);
  chip.coefficientMin = <i32>load<f64>(settings, 32);
  chip.coefficientMid = <i32>load<f64>(settings, 40);
  chip.coefficientMax = <i32>load<f64>(settings, 48);
  chip.numObsFactor = load<f64>(settings, 56);
  chip.outlierThreshold = load<f64>(settings, 64);
  chip.tConst = load<f64>(settings, 72);
  chip.clearPct = load<f64>(settings, 80);
  chip.snowPct = load<f64>(settings, 88);
  chip.medianGreenFilter = load<f64>(settings, 96);
  chip.lassoMaxIter = <i32>load<f64>(settings, 104);
  chip.alpha = load<f64>(settings, 112);
  chip.curveSnow = <i32>load<f64>(settings, 120);
  chip.curveInsufficient = <i32>load<f64>(settings, 128);
  chip.curveStart = <i32>load<f64>(settings, 136);
  chip.curveEnd = <i32>load<f64>(settings, 144);
}

/** Reserves what has a size of its own whatever the number of dates: at most `FIXED_BYTES` for 64 bands. */
function reserveFixed(pixel: Pixel): void {
  const chip = pixel.chip, fit = pixel.fit, nVec = <usize>chip.nVec, nDetectionVec = <usize>chip.nDetectionVec;
  chip.slowReady = alloc(chip.nSlow);
  pixel.noise = alloc(nVec << 4);
  pixel.histogram = alloc(N_KEY << 1);
  pixel.comparison = alloc(nDetectionVec << 4);
  fit.featureSums = alloc(512);
  fit.bandSums = alloc(nDetectionVec << 7);
  fit.squareSums = alloc(nDetectionVec << 4);
  fit.gram = alloc(448);
  fit.diagonal = alloc(64);
  fit.inverse = alloc(64);
  fit.means = alloc(64);
  fit.blocks = alloc(nVec * BLOCK_BYTES);
  fit.active = alloc(nVec << 2);
  memory.fill(chip.slowReady, 0, chip.nSlow);
  memory.fill(fit.blocks, 0, nVec * BLOCK_BYTES);
}

/** Reserves what is worked in, zeroed where it must be; false when memory ends. */
function reserve(pixel: Pixel): bool {
  const chip = pixel.chip, fit = pixel.fit, nTime = <usize>chip.nTime, spanBytes = <usize>pixel.nSpan << 2;
  // The small ones come out of this, so that only the large ones below must be looked at.
  const start = mark();
  if (!alloc(FIXED_BYTES)) return false;
  release(start);
  reserveFixed(pixel);
  chip.features = alloc(nTime << 6);
  chip.phases = alloc(nTime << 1);
  chip.slow = alloc((<usize>chip.nSlow * nTime) << 4);
  pixel.rows = alloc(nTime * chip.rowBytes);
  pixel.dates = alloc(nTime << 2);
  pixel.live = alloc(nTime << 2);
  pixel.flags = alloc(nTime);
  pixel.keys = alloc(nTime << 1);
  pixel.scratch = alloc(tmaskScratch(nTime));
  pixel.spans = alloc(spanBytes);
  pixel.segments = alloc((<usize>pixel.maxSegments * (HEAD_NUMBERS + chip.nBand * BAND_NUMBERS)) << 3);
  fit.residuals = alloc((nTime * chip.nDetectionVec) << 4);
  if (!chip.features || !chip.phases || !chip.slow || !pixel.rows || !pixel.dates || !pixel.live) return false;
  if (!pixel.flags || !pixel.keys || !pixel.scratch || !pixel.spans || !pixel.segments || !fit.residuals) return false;
  memory.fill(pixel.spans, 0, spanBytes);
  return true;
}

// i32[nTime] ascending days, u32[nTime] the place of each in strips, u8[65536] QA classes, i32[nBand] lanes (detection bands first, the others from the next even lane), u8[nBand]
// whether reflectance, i32[nTmask] bands, f64[19] settings, f64[16 * peek + 1] thresholds, all of which must stay -> a pixel to work in; 0:
// no memory. nTime >= 1.
export function ccdc_create(
  nTime: i32, nBand: i32, nDetection: i32, nTmask: i32, days: usize, order: usize, qaCodes: usize, lanes: usize, isReflectance: usize, tmaskBands: usize,
  thermal: i32, green: i32, settings: usize, thresholds: usize,
): usize {
  const pixelAt = alloc(offsetof<Pixel>()), chipAt = alloc(offsetof<Chip>()), fitAt = alloc(offsetof<Fit>());
  const columns = alloc(nBand << 2), tmaskColumns = alloc(nTmask << 2);
  if (!tmaskColumns || !columns || !fitAt || !chipAt || !pixelAt) return 0;
  const pixel = changetype<Pixel>(pixelAt), chip = changetype<Chip>(chipAt), fit = changetype<Fit>(fitAt);
  pixel.chip = chip;
  pixel.fit = fit;
  chip.nTime = nTime;
  chip.nBand = nBand;
  chip.nDetection = nDetection;
  chip.nTmask = nTmask;
  chip.nDetectionVec = (nDetection + 1) >> 1;
  chip.nVec = chip.nDetectionVec + ((nBand - nDetection + 1) >> 1);
  chip.rowBytes = FEATURE_BYTES + (chip.nVec << 4);
  chip.days = days;
  chip.order = order;
  chip.qaCodes = qaCodes;
  chip.columns = columns;
  chip.isReflectance = isReflectance;
  chip.tmaskColumns = tmaskColumns;
  chip.thermal = thermal;
  chip.green = green;
  chip.thresholds = thresholds;
  readSettings(chip, settings);
  const span = load<i32>(days + ((nTime - 1) << 2)) - load<i32>(days) + 1;
  chip.nSlow = min(MOST_SLOW, <i32>ceil(<f64>span / chip.avgDaysYr)) + 1;
  pixel.nSpan = span;
  pixel.maxSegments = nTime / chip.meowSize + 3;
  for (let band = 0; band < nBand; band++) store<i32>(columns + (band << 2), FEATURE_BYTES + (load<i32>(lanes + (band << 2)) << 3));
  for (let i = 0; i < nTmask; i++) store<i32>(tmaskColumns + (i << 2), load<i32>(columns + (load<i32>(tmaskBands + (i << 2)) << 2)));
  if (!reserve(pixel)) return 0;
  for (let lane = 0; lane < chip.nVec << 1; lane++) {
    let isBand = false;
    for (let band = 0; band < nBand; band++) isBand = isBand || load<i32>(lanes + (band << 2)) == lane;
    store<i64>(fit.blocks + (lane >> 1) * BLOCK_BYTES + ((lane & 1) << 3), isBand ? 0 : -1, PADDING);
  }
  makeTables(chip);
  return pixelAt;
}

// The strip of pixels that follows: values [nTime][nBand][px] of dtype 0 i16, 1 i32, 2 f64 and QA u16[nTime][px], strides in bytes; whether
// i16 wraps when the thermal band is converted
export function ccdc_strip(at: usize, values: usize, dtype: i32, wraps: bool, timeStride: usize, bandStride: usize, qa: usize, qaStride: usize): void {
  const chip = changetype<Pixel>(at).chip;
  chip.values = values;
  chip.dtype = dtype;
  chip.wraps = wraps;
  chip.timeStride = timeStride;
  chip.bandStride = bandStride;
  chip.qa = qa;
  chip.qaStride = qaStride;
}

// Runs pixel px of the strip -> number of segments, or -1 - (QA value without a class). counts i32[5]: with data, cloud, snow, clear, water;
// mask u8[nTime]
export function ccdc_detect(at: usize, px: usize, counts: usize, mask: usize): i32 {
  const pixel = changetype<Pixel>(at);
  if (!detectPixel(pixel, px)) return -1 - pixel.badQa;
  store<i32>(counts, pixel.nData);
  store<i32>(counts, pixel.nCloud, 4);
  store<i32>(counts, pixel.nSnow, 8);
  store<i32>(counts, pixel.nClear, 12);
  store<i32>(counts, pixel.nWater, 16);
  writeMask(pixel, mask);
  return pixel.nSegment;
}

// Where the records of the last pixel lie: f64[nSegment][6 + 10 nBand], see segment.ts
export function ccdc_segments(at: usize): usize {
  return changetype<Pixel>(at).segments;
}

// Keeps the observations of pixel px for one of the three procedures, for the single steps below -> their number
export function ccdc_observe(at: usize, px: usize, procedure: i32): i32 {
  const pixel = changetype<Pixel>(at);
  pixel.nSegment = 0;
  pixel.fit.count = 0;
  observe(pixel, px, procedure);
  return pixel.n;
}

// f64[2 + nBand]: peek, threshold, noise of each band -> lag of the variogram, 0 for neighbours
export function ccdc_variogram(at: usize, out: usize): i32 {
  const pixel = changetype<Pixel>(at), chip = pixel.chip;
  adjustPeek(pixel);
  const lag = variogram(pixel, true);
  store<f64>(out, <f64>pixel.peek);
  store<f64>(out, pixel.threshold, 8);
  for (let band = 0; band < chip.nBand; band++) {
    store<f64>(out + (band << 3), load<f64>(pixel.noise + load<i32>(chip.columns + (band << 2)) - FEATURE_BYTES), 16);
  }
  return lag;
}

// Fits all bands on kept observations [from, until) and appends the record -> sweeps of the detection bands' last to stop
export function ccdc_fit(at: usize, from: i32, until: i32, nCoefficient: i32): i32 {
  const pixel = changetype<Pixel>(at);
  pixel.nSegment = 0;
  fitAll(pixel, from, until, nCoefficient);
  clearMagnitudes(pixel);
  append(pixel, 0, 0, 0, until - from, 0, nCoefficient);
  return pixel.fit.nSweep;
}

// f64[5][2]: Tmask's robust fit of kept observations [from, until) in two bands after so many re-weightings: constant, cos and sin of a year,
// of the slow cycle -> pointer, valid until the next step
export function ccdc_robust(at: usize, from: i32, until: i32, bandA: i32, bandB: i32, nRounds: i32): usize {
  const pixel = changetype<Pixel>(at), columns = pixel.chip.columns;
  return fitPair(pixel, from, until, load<i32>(columns + (bandA << 2)), load<i32>(columns + (bandB << 2)), nRounds);
}

// u8[count] flags of the 24 of kept observations [from, from + count) closest in day of year to observation `reference`
export function ccdc_closest(at: usize, from: i32, count: i32, reference: i32, flags: usize): void {
  flagClosest(changetype<Pixel>(at), from, count, reference, flags);
}
