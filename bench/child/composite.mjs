// One composite in a process of its own, so that its peak memory and processor time are its own. Prints them as JSON.
//   node bench/child/composite.mjs SOURCE OUT OPTIONS_AS_JSON
import { compositeToFolder } from '../../build/jobs/folder.js';

const [source, out, options] = process.argv.slice(2);
const before = process.cpuUsage();
const begin = performance.now();
const { grid } = await compositeToFolder(source, out, { ...JSON.parse(options), overwrite: true });
const { user, system } = process.cpuUsage(before);
const result = {
  px: grid.width * grid.height,
  seconds: (performance.now() - begin) / 1000,
  cpuSeconds: (user + system) / 1e6,
  peakBytes: process.resourceUsage().maxRSS * 1024,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
