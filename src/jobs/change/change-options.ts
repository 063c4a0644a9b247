import type { StackOptions } from '../../stats/change-stack.js';
import type { DetectOptions } from '../../stats/detect.js';
import type { OffsetMode } from '../../stats/radiometry.js';
import type { AreaOptions } from './change-area.js';

/** What changes are looked for in, and how; everything has a default. */
export interface ChangeRunOptions extends AreaOptions, StackOptions {
  /** `conus`, `alaska`, `hawaii`, or `native`: the scenes' own pixels, in chips of 100 a side. Default native. */
  grid?: string | undefined;
  datetime?: string | undefined;
  /** The offset of Sentinel-2's newer baselines. */
  offset?: OffsetMode | undefined;
  /** False: temperature is not used. Default: it is where the scenes have it. */
  thermal?: boolean | undefined;
  detect?: Pick<DetectOptions, 'params' | 'wideInt' | 'alpha'> | undefined;
  /** `skip`: a scene that cannot be read is left out of the whole run. Default fail. */
  onError?: 'fail' | 'skip' | undefined;
  /** Runs chips whose results are there. */
  refresh?: boolean | undefined;
  /** 0 computes in the calling thread; default: the cores. */
  threads?: number | undefined;
  memoryLimitBytes?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Pixels of the chips that run. */
  onProgress?: ((donePx: number, totalPx: number) => void) | undefined;
  onWarning?: ((text: string) => void) | undefined;
}
