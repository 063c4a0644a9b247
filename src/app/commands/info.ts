import { Command } from 'commander';
import { describeSource, formatDescription } from '../description.js';
import { stopSignals } from '../stop.js';

/** Describes a raster, an item or a collection, as text or one line of JSON. */
export async function info(
  source: string,
  { json = false, write, signal }: { json?: boolean; write: (text: string) => unknown; signal?: AbortSignal },
): Promise<void> {
  const description = await describeSource(source, { ...(signal && { signal }) });
  write(json ? `${JSON.stringify(description)}\n` : formatDescription(description));
}

/** `stackwise info <raster | item | collection>` */
export function infoCommand(): Command {
  return new Command('info')
    .description('Describe a raster, a STAC item or collection, or a folder of them.')
    .argument('<source>', 'a COG or other TIFF, STAC JSON, a folder, or a glob')
    .option('--json', 'print JSON')
    .action(async (source: string, { json = false }: { json?: boolean }) => {
      const stop = stopSignals();
      try {
        await info(source, { json, write: (text) => process.stdout.write(text), signal: stop.signal });
      } finally {
        stop.dispose();
      }
    });
}
