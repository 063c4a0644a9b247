/** What progress is shown on: the part of a terminal or pipe that is needed. */
export interface ProgressStream {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

export interface ProgressOptions {
  stream: ProgressStream;
  /** JSON lines even on a terminal. */
  json: boolean;
  /** What is being done: `composite`. */
  label: string;
  /** What is counted: `px`. */
  unit: string;
  /** Clock, ms. */
  now?: () => number;
}

export interface ProgressReporter {
  update(done: number, total: number): void;
  /** A line for the user: a warning. */
  note(text: string): void;
  /** All went well: shows how long it took. */
  done(): void;
  /** Takes an unfinished line off the terminal; may be called after `done`, and twice. */
  close(): void;
}

/** Tells that a network or a server failed for passing reasons, where it did. */
export function noteRetries(progress: ProgressReporter, { retries }: { retries: number }): void {
  if (retries === 0) return;
  progress.note(`${retries} ${retries === 1 ? 'request was' : 'requests were'} sent again after a passing fault`);
}

/** Ms between two lines: a terminal is redrawn, a log grows. */
const REDRAW_MS = 100;
const LOG_MS = 1000;
/** The rate is that of the last ms of this many, so that a slow start is forgotten. */
const RATE_WINDOW_MS = 10_000;
const BAR_CELLS = 24;

const PREFIXES = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** `12.3 M`: three digits and a prefix; the unit follows directly. */
function formatCount(value: number): string {
  for (const [size, prefix] of PREFIXES) {
    if (value >= size) return `${(value / size).toPrecision(value >= 1000 * size ? 4 : 3)} ${prefix}`;
  }
  return `${Math.round(value)} `;
}

/** `8 s`, `2 min 05 s`, `1 h 02 min`. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 10) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

interface State {
  done: number;
  total: number;
  /** Units a second, 0 until it is known. */
  rate: number;
  elapsedMs: number;
}

/** Ms left, or null while the rate is not known. */
const etaMs = ({ done, total, rate }: State) => (rate > 0 ? ((total - done) / rate) * 1000 : null);

function terminalLine(label: string, unit: string, state: State): string {
  const part = state.total > 0 ? Math.min(1, state.done / state.total) : 0;
  const cells = Math.floor(part * BAR_CELLS);
  const bar = '━'.repeat(cells) + '─'.repeat(BAR_CELLS - cells);
  const left = etaMs(state);
  const rate = state.rate > 0 ? `  ${formatCount(state.rate)}${unit}/s` : '';
  const eta = left !== null && state.done < state.total ? `  ${formatDuration(left)} left` : '';
  return `${label}  ${bar} ${String(Math.floor(part * 100)).padStart(3)} %${rate}${eta}`;
}

/** How fast it goes lately: the oldest sample of the window against the newest. What is there at the first is not of this run's making. */
function rateMeter(): (done: number, atMs: number) => number {
  let samples: { done: number; atMs: number }[] = [];
  return (done, atMs) => {
    samples.push({ done, atMs });
    while (samples.length > 2 && samples[1]!.atMs < atMs - RATE_WINDOW_MS) samples.shift();
    // Many small steps: half of the samples tell as much.
    if (samples.length > 1000) samples = samples.filter((_, i) => i % 2 === 0 || i === samples.length - 1);
    const [first] = samples;
    return atMs > first!.atMs ? ((done - first!.done) / (atMs - first!.atMs)) * 1000 : 0;
  };
}

/**
 * Shows progress: on a terminal one line that is rewritten, with rate and time left; elsewhere, or with `json`, JSON lines
 * `{"event": "progress" | "note" | "done", …}`, at most one a second.
 */
export function progressReporter(options: ProgressOptions): ProgressReporter {
  const { stream, json, label, unit, now = Date.now } = options;
  const startMs = now();
  const rateOf = rateMeter();
  const onTerminal = stream.isTTY === true && !json;
  let state: State = { done: 0, total: 0, rate: 0, elapsedMs: 0 };
  let shownMs = Number.NEGATIVE_INFINITY;
  let open = false;
  let begun: number | null = null;

  const seconds = (ms: number) => Math.round(ms) / 1000;
  const clear = () => {
    if (open) stream.write('\r\x1b[K');
    open = false;
  };
  const draw = () => {
    const width = Math.max(20, (stream.columns ?? 80) - 1);
    stream.write(`\r\x1b[K${terminalLine(label, unit, state).slice(0, width)}`);
    open = true;
  };
  const log = (event: string, facts: object) => stream.write(`${JSON.stringify({ event, label, ...facts })}\n`);

  return {
    update(done, total) {
      const atMs = now();
      begun ??= done;
      state = { done, total, rate: rateOf(done, atMs), elapsedMs: atMs - startMs };
      if (atMs - shownMs < (onTerminal ? REDRAW_MS : LOG_MS)) return;
      shownMs = atMs;
      if (onTerminal) return draw();
      const left = etaMs(state);
      log('progress', { done, total, unit, perSecond: Math.round(state.rate), etaSeconds: left && seconds(left) });
    },
    note(text) {
      if (!onTerminal) return void log('note', { text });
      const wasOpen = open;
      clear();
      stream.write(`${text}\n`);
      if (wasOpen) draw();
    },
    done() {
      const elapsedMs = now() - startMs;
      const { total } = state;
      const perSecond = elapsedMs > 0 ? ((total - (begun ?? 0)) / elapsedMs) * 1000 : 0;
      if (!onTerminal) {
        return void log('done', { total, unit, seconds: seconds(elapsedMs), perSecond: Math.round(perSecond) });
      }
      clear();
      const rate = perSecond > 0 ? ` (${formatCount(perSecond)}${unit}/s)` : '';
      stream.write(`${label}  ${formatCount(total)}${unit} in ${formatDuration(elapsedMs)}${rate}\n`);
    },
    close: clear,
  };
}
