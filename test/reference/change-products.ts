// LCMAP's products of one pixel, in words of the specification and with Python's kind of dates.

export interface Model {
  start: number;
  end: number;
  /** Break day. */
  at: number;
  probability: number;
  curveQa: number;
  /** Of the bands that count. */
  magnitudes: number[];
}

const EPOCH = 719_163;
const DAY_MS = 86_400_000;
const dateOf = (day: number) => new Date((day - EPOCH) * DAY_MS);
const yearOf = (day: number) => dateOf(day).getUTCFullYear();
const dayOfYear = (day: number) => (dateOf(day).getTime() - Date.UTC(yearOf(day), 0, 1)) / DAY_MS + 1;
const BEGIN = 723_546;

export function changeProductsOf(models: readonly Model[], day: number) {
  const breaks = models.filter(({ probability }) => probability === 1);
  const ofYear = breaks.filter(({ at }) => yearOf(at) === yearOf(day)).sort((a, b) => a.at - b.at);
  const before = breaks.map(({ at }) => day - at).filter((days) => days >= 0);
  const lasting = models.filter(({ start }) => start <= day).map((m) => (day > m.end ? day - m.end : day - m.start));
  return {
    timeOfChange: ofYear.length > 0 ? dayOfYear(ofYear.at(-1)!.at) : 0,
    timeSinceChange: before.length > 0 ? Math.min(...before) : 0,
    changeMagnitude: ofYear.length > 0 ? Math.sqrt(ofYear.at(-1)!.magnitudes.reduce((sum, m) => sum + m * m, 0)) : 0,
    spectralStability: Math.max(0, Math.min(day - BEGIN, ...lasting)),
    modelQuality: models.find(({ start, end }) => start <= day && day <= end)?.curveQa ?? 0,
    changeCount: before.length,
  };
}
