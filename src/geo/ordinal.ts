import { InputError } from '../errors.js';
import { parseDatetime } from './time.js';

/** The ordinal of 1970-01-01. */
const EPOCH = 719_163;
const DAY_MS = 86_400_000;
/** 9999-12-31 */
export const LAST_ORDINAL = 3_652_059;

/**
 * The day of an RFC 3339 date or time in UTC as a proleptic Gregorian ordinal: 0001-01-01 is 1, as Python's toordinal().
 * @throws InputError when the text is not a date.
 */
export function toOrdinal(date: string): number {
  return Math.floor(parseDatetime(date) / DAY_MS) + EPOCH;
}

/**
 * The date of an ordinal as YYYY-MM-DD.
 * @throws InputError unless it is a whole number from 1 to 3652059.
 */
export function fromOrdinal(day: number): string {
  if (!(Number.isInteger(day) && day >= 1 && day <= LAST_ORDINAL)) {
    throw new InputError(`ordinals are whole numbers from 1 to ${LAST_ORDINAL}, got ${day}`, { option: 'date' });
  }
  return new Date((day - EPOCH) * DAY_MS).toISOString().slice(0, 10);
}
