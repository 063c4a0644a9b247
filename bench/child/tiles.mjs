// One task of gm-s2 in a process of its own, so that its peak memory and processor time are its own. Prints them as JSON.
//   node bench/child/tiles.mjs ITEMS OUT GRID OPTIONS_AS_JSON
import { rmSync } from 'node:fs';
import { runTasks, saveTasks } from '../../build/node.js';

const [items, out, grid, options] = process.argv.slice(2);
const set = `${out}-set`;
await saveTasks([items], { grid, tiles: '0,0', frequency: 'all', out: set, overwrite: true });
const before = process.cpuUsage();
const begin = performance.now();
const { tasks } = await runTasks(set, ['0'], {
  plugin: 'gm-s2',
  location: out,
  workDir: false,
  overwrite: true,
  ...JSON.parse(options),
});
const seconds = (performance.now() - begin) / 1000;
const { user, system } = process.cpuUsage(before);
const [{ status, reason, cost }] = tasks;
if (status !== 'done') throw new Error(reason);
rmSync(out, { recursive: true, force: true });
rmSync(set, { recursive: true, force: true });
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(
  `${JSON.stringify({ px: cost.px, seconds, cpuSeconds: (user + system) / 1e6, peakBytes, cost })}\n`,
);
