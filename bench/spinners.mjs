// What the machine itself gives to more threads: turns of a bare loop.
import { Worker } from 'node:worker_threads';

/** Turns of a bare loop that `count` threads do in a while. */
export async function spinners(count, ms = 1500) {
  const code = `const { parentPort, workerData } = require('node:worker_threads'); const end = Date.now() + workerData; let n = 0, x = 1;
    while (Date.now() < end) { for (let i = 0; i < 1e6; i++) x = (x * 1664525 + 1013904223) >>> 0; n++; } parentPort.postMessage(n + (x & 0));`;
  const turns = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(code, { eval: true, workerData: ms });
          worker.on('message', resolve);
          worker.on('error', reject);
        }),
    ),
  );
  return turns.reduce((a, b) => a + b, 0);
}
