import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { InputError } from '../errors.js';

/** A place on the disk that one process has to itself, told by a small file. */
export interface Claim {
  /** Gives the place free; a second call does nothing. */
  release(): Promise<void>;
}

/** Who is at work: JSON of a process's number, its machine's name, and what tells it from all others. */
interface Owner {
  pid?: unknown;
  host?: unknown;
}

/** Its maker may be about to write it. */
const WRITE_WAIT_MS = 100;
/** An owner on another machine cannot be asked whether it lives: it touches its file so often, and is dead when it has not for so long. */
const BEAT_MS = 20_000;
const DEAD_AFTER_MS = 180_000;
/** Against others that claim and go again and again. */
const MOST_TRIES = 20;

/** What this process holds, or is about to: its number in a file is that of an earlier process, which is gone. */
const held = new Set<string>();

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ownerIn(text: string): Owner {
  try {
    return (JSON.parse(text) ?? {}) as Owner;
  } catch {
    return {};
  }
}

/** Makes the file, whole at once, unless it is there: of two that begin at the same moment, one does. */
async function isMade(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  const isThere = (error: unknown) => (error as NodeJS.ErrnoException).code === 'EEXIST';
  try {
    await writeFile(draft, text);
    await link(draft, path).catch(async (error) => {
      // Not every disk has links.
      if (isThere(error)) throw error;
      await writeFile(path, text, { flag: 'wx' });
    });
    return true;
  } catch (error) {
    if (isThere(error)) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

const textOf = (path: string) => readFile(path, 'utf8').catch(() => null);

/** The process that holds a place, in words; null where it is gone. */
async function holder(path: string, text: string): Promise<string | null> {
  const { pid, host } = ownerIn(text);
  if (typeof pid !== 'number') return null;
  if (host === hostname()) return pid !== process.pid && isAlive(pid) ? `process ${pid}` : null;
  const touched = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return Date.now() - touched < DEAD_AFTER_MS ? `process ${pid} of ${host}` : null;
}

/** Takes the file of a dead owner away; one that came in between is put back. */
async function takeAway(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  if ((await textOf(aside)) !== text) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

const DRAFT = /^\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Takes away drafts of processes that were killed in the midst of a claim; those of living ones are theirs. */
async function sweepDrafts(path: string): Promise<void> {
  const name = basename(path);
  const isDraft = (entry: string) => entry.startsWith(name) && DRAFT.test(entry.slice(name.length));
  for (const entry of (await readdir(dirname(path))).filter(isDraft)) {
    const draft = join(dirname(path), entry);
    const text = await textOf(draft);
    if (text === null) continue;
    const { pid, host } = ownerIn(text);
    const isDead = typeof pid === 'number' ? host === hostname() && !isAlive(pid) : await isOld(draft);
    if (isDead) await rm(draft, { force: true });
  }
}

/** Whether the maker of an empty file has had time to write it. */
const isOld = (path: string) =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > 10 * WRITE_WAIT_MS,
    () => false,
  );

/**
 * Claims a place by a file. The file of an owner that is dead (kill -9) is taken over: at once where it was a process of this machine,
 * three minutes after its last sign of life where it was another's.
 * @throws InputError when a living process has the place
 */
export async function claim(file: string, place: string): Promise<Claim> {
  const path = resolve(file);
  if (held.has(path)) throw isTaken(`process ${process.pid}`, place, path);
  held.add(path);
  const own = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() });
  try {
    await write(path, own, place);
    await sweepDrafts(path);
  } catch (error) {
    held.delete(path);
    throw error;
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), BEAT_MS);
  beat.unref();
  return {
    async release() {
      clearInterval(beat);
      if (!held.has(path)) return;
      if ((await textOf(path)) === own) await rm(path, { force: true });
      held.delete(path);
    },
  };
}

/** Of the error that a living process has a place. */
export const TAKEN = 'TAKEN';

const isTaken = (who: string, place: string, path: string) =>
  new InputError(`${who} is at work in ${place} already: wait for it, stop it, or remove ${path}`, { status: TAKEN });

/** Writes the file when nobody alive has it. */
async function write(path: string, own: string, place: string): Promise<void> {
  for (let tries = 0; !(await isMade(path, own)); tries++) {
    let text = await textOf(path);
    if (text === '') {
      await new Promise((later) => setTimeout(later, WRITE_WAIT_MS));
      text = await textOf(path);
    }
    const who = text === null ? null : await holder(path, text);
    if (who !== null || tries >= MOST_TRIES) throw isTaken(who ?? 'another process', place, path);
    if (text !== null) await takeAway(path, text);
  }
}
