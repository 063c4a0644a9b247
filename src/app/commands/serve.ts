import { Command } from 'commander';
import { cores } from '#platform';
import { InputError, UsageError } from '../../errors.js';
import { type Flags, wholeWithin } from '../amount-option.js';
import { changeOptions, withChangeOptions } from '../change-flags.js';
import { collect } from '../list-option.js';
import { tokenOf } from '../service/access.js';
import { requestLog } from '../service/request-log.js';
import { sceneSources } from '../service/scene-sources.js';
import { stopSignals } from '../stop.js';

const HOST = '127.0.0.1';
const PORT = 8080;
const QUEUE_LIMIT = 10_000;

/** `stackwise serve --scenes items.json --store DIR --grid conus` */
export function serveCommand(): Command {
  const command = new Command('serve')
    .description('Give results of change detection over HTTP, and detect where somebody asks.')
    .option('--scenes <source>', 'STAC items, a folder, or a search as JSON or a file of it; repeatable', collect)
    .option('--store <dir>', 'the result store, which also keeps what is asked for');
  return withChangeOptions(command)
    .option('--threads <count>', 'threads that detect (default: the cores less one)')
    .option('--host <address>', `where to listen (default ${HOST})`)
    .option('--port <number>', `default ${PORT}; 0 for any that is free`)
    .option('--token-file <file>', 'requests must bring the token in it; or the variable STACKWISE_TOKEN')
    .option('--public-url <url>', 'what links begin with, behind a proxy')
    .option('--queue-limit <chips>', `how many may wait (default ${QUEUE_LIMIT})`)
    .option('--rescan <seconds>', 'look for scenes anew so often')
    .option('--json', 'JSON lines also on a terminal')
    .action(run);
}

function publicUrl(flags: Flags): string {
  const text = flags.publicUrl as string | undefined;
  if (text === undefined) return '';
  if (!URL.canParse(text) || !/^https?:/i.test(text)) {
    throw new InputError(`an http or https address is wanted, and got "${text}"`, { option: 'public-url' });
  }
  return text.replace(/\/+$/, '');
}

function orderOf(flags: Flags) {
  const scenes = flags.scenes as string[] | undefined;
  const store = flags.store as string | undefined;
  if (!scenes || store === undefined) throw new UsageError('--scenes SOURCE and --store DIR are wanted');
  const rescanS = wholeWithin(flags, 'rescan', { least: 1, most: 2_000_000 });
  return {
    scenes: sceneSources(scenes),
    store,
    options: {
      ...changeOptions(flags),
      threads: wholeWithin(flags, 'threads', { least: 1, most: 1024 }) ?? Math.max(1, cores() - 1),
    },
    queueLimit: wholeWithin(flags, 'queueLimit', { least: 1, most: 1e7 }) ?? QUEUE_LIMIT,
    rescanMs: rescanS === undefined ? undefined : rescanS * 1000,
  };
}

async function run(_: unknown, command: Command): Promise<void> {
  const flags = command.opts<Flags>();
  const order = orderOf(flags);
  const host = (flags.host as string | undefined) ?? HOST;
  const port = wholeWithin(flags, 'port', { least: 0, most: 65_535 }) ?? PORT;
  const token = tokenOf(flags.tokenFile as string | undefined);
  const asLines = flags.json === true || process.stderr.isTTY !== true;
  const log = requestLog(process.stderr);
  const note = (text: string) => {
    if (asLines) log.write({ event: 'note', text });
    else process.stderr.write(`${text}\n`);
  };
  // Whoever read the log may be gone; the service is not.
  process.stderr.on('error', () => {});
  if (token === null && !/^(127\.|localhost$|::1$)/.test(host)) {
    note(`anybody who reaches ${host} may use this service: give --token-file`);
  }
  const stop = stopSignals();
  try {
    const { serve } = await import('../service/server.js');
    await serve({
      order,
      host,
      port,
      token,
      baseUrl: publicUrl(flags),
      signal: stop.signal,
      onRequest: (facts) => asLines && log.write({ event: 'request', ...facts }),
      onNote: note,
      onListening: (place) => {
        const line = `listening on ${place.url}: ${place.scenes} scenes on the grid ${place.grid}`;
        process.stdout.write(
          flags.json === true ? `${JSON.stringify({ event: 'listening', ...place })}\n` : `${line}\n`,
        );
      },
    });
  } catch (error) {
    // It was told to stop before it listened: that is no failure.
    if (!stop.signal.aborted || error !== stop.signal.reason) throw error;
  } finally {
    log.close();
    stop.dispose();
  }
}
