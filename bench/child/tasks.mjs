// One save-tasks in a process of its own: node bench/child/tasks.mjs ITEMS OUT OPTIONS → seconds, processor seconds, peak memory, counts.
import { saveTasks } from '../../build/node.js';

const [items, out, options] = process.argv.slice(2);
const start = performance.now();
const { tasks, scenes, found } = await saveTasks([items], { out, overwrite: true, ...JSON.parse(options) });
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
console.log(
  JSON.stringify({
    seconds: (performance.now() - start) / 1000,
    cpuSeconds,
    peakMiB: maxRSS / 1024,
    tasks,
    scenes,
    found,
  }),
);
