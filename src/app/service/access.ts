// Who may use the service: those who know its token.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InputError } from '../../errors.js';
import type { App } from './app.js';
import { Refusal } from './refusal.js';

const VARIABLE = 'STACKWISE_TOKEN';

/** The token of a file, or of the environment; null when neither is given. Never from the command line, which others can read. */
export function tokenOf(file: string | undefined): string | null {
  let text = process.env[VARIABLE];
  if (file !== undefined) {
    try {
      text = readFileSync(file, 'utf8');
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new InputError(`${file} cannot be read (${code})`, { option: 'token-file' }, { cause });
    }
  }
  if (text === undefined) return null;
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const where = file ?? VARIABLE;
  throw new InputError(`${where} must hold one token of printable characters without spaces`, { option: 'token-file' });
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Everything but the open addresses wants `Authorization: Bearer TOKEN`. */
export function guard(app: App, token: string, open: readonly string[]): void {
  const wanted = digest(token);
  app.addHook('onRequest', async ({ headers, routeOptions }) => {
    if (open.includes(routeOptions.url ?? '')) return;
    const [scheme = '', given = ''] = (headers.authorization ?? '').split(' ');
    // Digests are of one length, and compared in one time.
    if (scheme.toLowerCase() === 'bearer' && timingSafeEqual(digest(given), wanted)) return;
    const facts = { field: 'authorization', wanted: 'Bearer TOKEN', headers: { 'www-authenticate': 'Bearer' } };
    throw new Refusal(401, 'a token is wanted', facts);
  });
}
