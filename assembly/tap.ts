// One sample of any type as f64, and results back into the target's type.
import { putInteger } from './result';

/** Sample `at` of `type`: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 f64. */
export function sampleAt(type: i32, src: usize, at: i32): f64 {
  const i = <usize>at;
  switch (type) {
    case 0: return <f64>load<u8>(src + i);
    case 1: return <f64>load<i8>(src + i);
    case 2: return <f64>load<u16>(src + (i << 1));
    case 3: return <f64>load<i16>(src + (i << 1));
    case 4: return <f64>load<u32>(src + (i << 2));
    case 5: return <f64>load<i32>(src + (i << 2));
    case 6: return <f64>load<f32>(src + (i << 2));
    default: return load<f64>(src + (i << 3));
  }
}

// @ts-ignore: decorator
@inline
export function missingAt(v: f64, hasMissing: i32, missing: f64): bool {
  return v != v || (hasMissing != 0 && v == missing);
}

/** Stores a result that is not NaN as px `at` of `targetType` (2 u16, 3 i16, 6 f32); integers as `putInteger` says. */
// @ts-ignore: decorator
@inline
export function putResult(targetType: i32, out: usize, at: i32, value: f64, hasNone: i32, none: f64): void {
  if (value != value) return;
  if (targetType == 6) store<f32>(out + (<usize>at << 2), <f32>value);
  else if (targetType == 2) putInteger<u16>(out + (<usize>at << 1), value, 0, 65535, hasNone, none);
  else putInteger<i16>(out + (<usize>at << 1), value, -32768, 32767, hasNone, none);
}
