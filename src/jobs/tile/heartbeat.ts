import { rename, writeFile } from 'node:fs/promises';

/** Ms between two signs of life. */
const BEAT_MS = 5000;

/** UTC as `2019-01-01 12:34:56`, which is what probes of odc-stats read. */
export const beatText = (timeMs: number) => new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');

/**
 * Writes the time into a file now and every five seconds, by a timer of its own: a long block or a slow store does not keep it from
 * beating. The file is whole at any moment.
 * @param onTrouble called once when the file cannot be written
 */
export function heartbeat(path: string, onTrouble: (text: string) => void): { stop(): void } {
  const draft = `${path}.${process.pid}.partial`;
  let isTold = false;
  const beat = async () => {
    try {
      await writeFile(draft, beatText(Date.now()));
      await rename(draft, path);
    } catch (error) {
      if (!isTold) onTrouble(`cannot write the heartbeat to ${path}: ${(error as NodeJS.ErrnoException).code}`);
      isTold = true;
    }
  };
  void beat();
  const timer = setInterval(() => void beat(), BEAT_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
