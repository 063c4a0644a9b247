// A line of JSON for each request. Lines go out together: a service answers thousands a second.
const TOGETHER_MS = 100;
const MOST_WAITING = 1000;

export interface RequestLog {
  write(facts: object): void;
  /** Writes what waits. */
  close(): void;
}

export function requestLog(stream: { write(text: string): unknown }): RequestLog {
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | null = null;
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (waiting.length > 0) stream.write(`${waiting.join('\n')}\n`);
    waiting = [];
  };
  return {
    write(facts) {
      waiting.push(JSON.stringify(facts));
      if (waiting.length >= MOST_WAITING) flush();
      else timer ??= setTimeout(flush, TOGETHER_MS).unref();
    },
    close: flush,
  };
}
