// The three procedures of PyCCD for one pixel: standard, permanent snow, insufficient clear observations.
import { initialize, lookBack } from './initialize';
import { lookForward } from './lookforward';
import { fitAll } from './model';
import { sumWindow } from './moments';
import { classify, observe, PERMANENT_SNOW, procedureOf, STANDARD } from './observe';
import { append, clearMagnitudes } from './segment';
import { dayAt, Pixel } from './state';
import { adjustPeek, variogram } from './variogram';

/** Fits [from, until) simply, for what comes before the first segment or after the last. */
function catchUp(pixel: Pixel, from: i32, until: i32, curveQa: i32): void {
  fitAll(pixel, from, until, pixel.chip.coefficientMin);
  clearMagnitudes(pixel);
  const breakAt = until < pixel.n ? until : pixel.n - 1;
  append(pixel, dayAt(pixel, from), dayAt(pixel, until - 1), dayAt(pixel, breakAt), until - from, 0, curveQa);
}

function detectChanges(pixel: Pixel): void {
  const chip = pixel.chip, least = chip.meowSize;
  if (pixel.n <= least) return;
  adjustPeek(pixel);
  variogram(pixel, false);
  let previous = 0, isFirst = true;
  pixel.from = 0;
  pixel.until = least;
  while (pixel.until <= pixel.n - least) {
    if (pixel.nSegment > 0) isFirst = false;
    if (!initialize(pixel)) break;
    if (pixel.from > previous) lookBack(pixel, previous);
    if (pixel.from - previous > pixel.peek && isFirst) {
      catchUp(pixel, previous, pixel.from, chip.curveStart);
      sumWindow(pixel, pixel.from, pixel.until);
    }
    if (pixel.until + pixel.peek > pixel.n) break;
    lookForward(pixel);
    previous = pixel.until;
    pixel.from = previous;
    pixel.until = previous + least;
  }
  if (previous + pixel.peek < pixel.n) catchUp(pixel, previous, pixel.n, chip.curveEnd);
}

/** One model over all that is kept; it starts and ends with the input. */
function fitSimply(pixel: Pixel, curveQa: i32): void {
  const chip = pixel.chip;
  if (pixel.n < chip.meowSize) return;
  const start = load<i32>(chip.days), end = load<i32>(chip.days + ((chip.nTime - 1) << 2));
  fitAll(pixel, 0, pixel.n, chip.coefficientMin);
  clearMagnitudes(pixel);
  append(pixel, start, end, end, pixel.n, 0, curveQa);
}

/** Runs pixel px of the strip; false when it fails for an unknown QA value. */
export function detectPixel(pixel: Pixel, px: usize): bool {
  pixel.n = 0;
  pixel.nSegment = 0;
  pixel.fit.count = 0;
  if (!classify(pixel, px)) return false;
  const procedure = procedureOf(pixel);
  observe(pixel, px, procedure);
  if (procedure == STANDARD) detectChanges(pixel);
  else fitSimply(pixel, procedure == PERMANENT_SNOW ? pixel.chip.curveSnow : pixel.chip.curveInsufficient);
  return true;
}
