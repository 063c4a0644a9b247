import { describe, expect, it } from 'vitest';
import { httpStore } from '../../build/io/http.js';
import { sasSigner } from '../../build/io/sas.js';

const FILE = 'https://account1.blob.core.windows.net/container/a/b.tif';
const TOKEN = 'se=2026-01-01T00%3A00%3A00Z&sp=r&sig=SECRETSIGNATURE';

/** Blob storage that wants a token, and the service that gives it. */
function cloud({ refuse = false } = {}) {
  const state = { now: Date.parse('2026-01-01T00:00:00Z'), asked: [] as string[], token: TOKEN, valid: TOKEN, refuse };
  const send = (async (input: string) => {
    const url = String(input);
    state.asked.push(url);
    if (url.startsWith('https://tokens.test/'))
      return state.refuse
        ? new Response('no', { status: 404 })
        : Response.json({ 'msft:expiry': new Date(state.now + 45 * 60_000).toISOString(), token: state.token });
    if (new URL(url).search.slice(1) !== state.valid) return new Response('denied', { status: 409 });
    return new Response(new Uint8Array([1, 2, 3]), { status: 206, headers: { 'content-range': 'bytes 0-2/3' } });
  }) as typeof fetch;
  const signer = sasSigner({
    tokens: 'https://tokens.test/token/',
    fetch: send,
    now: () => state.now,
    retry: { attempts: 1 },
  });
  return { state, store: httpStore({ fetch: send, signer }) };
}
const read = (store: ReturnType<typeof httpStore>, url = FILE) => store.read(url, { offset: 0, length: 3 });

describe('tokens for containers of Azure', () => {
  it('are fetched where one is wanted, and kept', async () => {
    const { state, store } = cloud();
    expect(await read(store)).toEqual(new Uint8Array([1, 2, 3]));
    await read(store);
    await read(store, FILE.replace('b.tif', 'c.tif'));
    expect(state.asked.filter((url) => url.startsWith('https://tokens'))).toEqual([
      'https://tokens.test/token/account1/container',
    ]);
    expect(state.asked.length).toBe(5);
  });

  it('are fetched once for many readers', async () => {
    const { state, store } = cloud();
    await Promise.all(Array.from({ length: 8 }, () => read(store)));
    expect(state.asked.filter((url) => url.startsWith('https://tokens')).length).toBe(1);
  });

  it('are renewed before they end', async () => {
    const { state, store } = cloud();
    await read(store);
    state.now += 41 * 60_000;
    state.token = state.valid = `${TOKEN}2`;
    await read(store);
    expect(state.asked.filter((url) => url.startsWith('https://tokens')).length).toBe(2);
  });

  it('are in no message', async () => {
    const { state, store } = cloud();
    await read(store);
    state.valid = 'other';
    const error = await read(store).catch((e) => e);
    expect(error.message).toBe(`cannot read ${FILE}: HTTP 409`);
    expect(JSON.stringify([error.message, error.facts, String(error.cause)])).not.toContain('SECRET');
  });

  it('leave the answer as it was where there is none', async () => {
    const { state, store } = cloud({ refuse: true });
    await expect(read(store)).rejects.toThrow(`cannot read ${FILE}: HTTP 409`);
    await expect(read(store)).rejects.toThrow('HTTP 409');
    expect(state.asked.filter((url) => url.startsWith('https://tokens')).length).toBe(1);
  });

  it('are asked for nowhere else', async () => {
    const { state, store } = cloud();
    for (const url of [
      'https://elsewhere.test/container/b.tif',
      `${FILE}?sig=own`,
      'https://a.blob.core.windows.net.evil.test/c/b',
    ])
      await expect(read(store, url)).rejects.toThrow('HTTP 409');
    expect(state.asked.some((url) => url.startsWith('https://tokens'))).toBe(false);
  });

  it('must look like tokens', async () => {
    const { state, store } = cloud();
    state.token = 'a b\r\nc';
    await expect(read(store)).rejects.toThrow('HTTP 409');
  });
});
