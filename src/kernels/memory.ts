import { type KernelExports, wasmBase64 } from '#wasm';
import { KernelError } from '../errors.js';

/** Pixel types the kernels compute on; u8 is widened to u16, all others to f32 with NaN for missing. */
export type KernelDtype = 'u16' | 'i16' | 'f32';

/** Series of one band in wasm memory: [nTime][nPx]. */
export interface Column {
  ptr: number;
  dtype: KernelDtype;
  nTime: number;
  /** px, a multiple of 64; the padding holds missing values. */
  nPx: number;
  /** Distance between two dates of the same pixel, a multiple of 16. */
  timeStrideBytes: number;
  /** Missing value for u16 and i16, or null when every value counts; f32 has NaN. */
  nodata: number | null;
}

/** Series of several bands of one dtype in wasm memory: [nBand][nTime][nPx]. */
export interface StackView extends Column {
  nBand: number;
  bandStrideBytes: number;
}

/**
 * Bytes from one date to the next for rows of at least `rowBytes`: an odd number of 128, for dates a power of two apart would
 * share a few of a cache's sets.
 */
export function dateStrideBytes(rowBytes: number): number {
  return (Math.ceil(rowBytes / 128) | 1) * 128;
}

let compiled: WebAssembly.Module | null = null;
let shared: Kernels | null = null;

function compile(): WebAssembly.Module {
  if (!compiled) {
    const text = atob(wasmBase64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    compiled = new WebAssembly.Module(bytes);
  }
  return compiled;
}

/** One instance of the wasm with its own memory. A thread has one, from {@link kernels}; tests may make more. */
export class Kernels {
  readonly exports: KernelExports;

  constructor() {
    // The raw exports carry asc's generated types; the module imports nothing.
    this.exports = new WebAssembly.Instance(compile(), {}).exports as unknown as KernelExports;
  }

  /** Reserves bytes in the arena (64-byte aligned, content undefined). Views made before may be detached afterwards. */
  alloc(nBytes: number): number {
    // Sizes are 32 bits over there: larger ones would come out small.
    const ptr = nBytes < 2 ** 32 ? this.exports.alloc(nBytes) >>> 0 : 0;
    if (ptr === 0) throw new KernelError(`the kernels need ${nBytes} more bytes, and WebAssembly memory ends at 4 GiB`);
    return ptr;
  }

  /** Runs `work` and frees all that it allocated in the arena. */
  scope<T>(work: () => T): T {
    const at = this.exports.mark();
    try {
      return work();
    } finally {
      this.exports.release(at);
    }
  }

  u8(ptr: number, length: number): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer, ptr, length);
  }

  u16(ptr: number, length: number): Uint16Array {
    return new Uint16Array(this.exports.memory.buffer, ptr, length);
  }

  i16(ptr: number, length: number): Int16Array {
    return new Int16Array(this.exports.memory.buffer, ptr, length);
  }

  i32(ptr: number, length: number): Int32Array {
    return new Int32Array(this.exports.memory.buffer, ptr, length);
  }

  f32(ptr: number, length: number): Float32Array {
    return new Float32Array(this.exports.memory.buffer, ptr, length);
  }

  f64(ptr: number, length: number): Float64Array {
    return new Float64Array(this.exports.memory.buffer, ptr, length);
  }
}

/** This thread's kernels, instantiated at first use. */
export function kernels(): Kernels {
  shared ??= new Kernels();
  return shared;
}
