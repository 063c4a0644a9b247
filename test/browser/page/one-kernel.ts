// A page that uses one kernel on its own arrays, and should not pay for more.
import { median } from 'stackwise';

export const middle = median(Uint16Array.of(3, 1, 2), { nTime: 3, nPx: 1 });
