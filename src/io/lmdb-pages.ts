// Read-only access to files of LMDB 0.9 (data version 1) by their pages, through any store. Sizes and places in the file are checked
// before they are used: the file may be anybody's.
import { FormatError } from '../errors.js';
import type { Store } from './store.js';

/** A database of name → value, and those inside of it by name. */
export interface LmdbFile {
  /** All pairs of a named database in the order of their keys; none where there is no such database. */
  entries(database: string): AsyncGenerator<LmdbEntry>;
  /** One value, or null. */
  get(database: string, key: Uint8Array): Promise<Uint8Array | null>;
}

export interface LmdbEntry {
  key: Uint8Array;
  value: Uint8Array;
}

/** What is kept of a database: the page of its root, or null when it is empty. */
interface Tree {
  rootPage: number | null;
}

interface Node {
  flags: number;
  key: Uint8Array;
  /** Of a branch: the page below. */
  page: number;
  /** Of a leaf: its bytes within the page. */
  data: Uint8Array;
  dataBytes: number;
}

const MAGIC = 0xbeefc0de;
const HEADER_BYTES = 16;
const NODE_BYTES = 8;
const TREE_BYTES = 48;
const [BRANCH, LEAF, OVERFLOW, META] = [1, 2, 4, 8];
const [BIG_DATA, SUB_DATA, DUP_DATA] = [1, 2, 4];
/** No tree of 2³² pages is deeper. */
const MAX_DEPTH = 32;
const MAX_VALUE_BYTES = 64 * 2 ** 20;
/** Read at once, and how many of these are kept. */
const CHUNK_BYTES = 2 ** 18;
const MAX_CHUNKS = 64;

function compare(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Pages of a file, read in chunks that are kept for a while. */
interface Pages {
  pageBytes: number;
  bytes(offset: number, length: number): Promise<Uint8Array>;
  page(number: number): Promise<{ number: number; bytes: Uint8Array; flags: number }>;
  broken(what: string): FormatError;
}

type Read = (offset: number, length: number) => Promise<Uint8Array>;

/** The last chunks that were asked for. */
function keptChunks(read: Read): (index: number) => Promise<Uint8Array> {
  const chunks = new Map<number, Promise<Uint8Array>>();
  return (index) => {
    const found = chunks.get(index) ?? read(index * CHUNK_BYTES, CHUNK_BYTES);
    chunks.delete(index);
    chunks.set(index, found);
    found.catch(() => chunks.delete(index));
    if (chunks.size > MAX_CHUNKS) chunks.delete(chunks.keys().next().value!);
    return found;
  };
}

function pagesOf(url: string, fileBytes: number, read: Read): Pages {
  const broken = (what: string) => new FormatError(`${url} is no whole LMDB file: ${what}`, { url });
  const chunk = keptChunks(read);
  const fill = (into: Uint8Array, from: Uint8Array) => {
    if (from.length < into.length) throw broken('it was cut while it was read');
    into.set(from.subarray(0, into.length));
  };
  const pages: Pages = {
    pageBytes: 4096,
    broken,
    async bytes(offset, length) {
      if (!(offset >= 0 && length >= 0 && offset + length <= fileBytes))
        throw broken(`${length} bytes at ${offset} are beyond its ${fileBytes}`);
      const at = offset % CHUNK_BYTES;
      const first = (offset - at) / CHUNK_BYTES;
      if (at + length <= CHUNK_BYTES) {
        const part = (await chunk(first)).subarray(at, at + length);
        if (part.length < length) throw broken('it was cut while it was read');
        return part;
      }
      const whole = new Uint8Array(length);
      if (length > CHUNK_BYTES) fill(whole, await read(offset, length));
      else {
        fill(whole.subarray(0, CHUNK_BYTES - at), (await chunk(first)).subarray(at));
        fill(whole.subarray(CHUNK_BYTES - at), await chunk(first + 1));
      }
      return whole;
    },
    async page(number) {
      const count = Math.floor(fileBytes / pages.pageBytes);
      if (!(Number.isInteger(number) && number >= 0 && number < count))
        throw broken(`page ${number} is beyond its ${count} pages`);
      const bytes = await pages.bytes(number * pages.pageBytes, pages.pageBytes);
      return { number, bytes, flags: viewOf(bytes).getUint16(10, true) };
    },
  };
  return pages;
}

/** 64 bits that count pages; null stands for "none". */
function pageNumber(view: DataView, at: number): number | null {
  const value = view.getBigUint64(at, true);
  return value === 0xffff_ffff_ffff_ffffn ? null : Number(value);
}

function readTree(view: DataView, at: number): Tree {
  return { rootPage: pageNumber(view, at + 40) };
}

/** The newer of the two meta pages: where the tree of all databases begins. */
async function mainTree(pages: Pages): Promise<Tree> {
  const metas: { txn: bigint; tree: Tree }[] = [];
  for (const at of [0, 1]) {
    const bytes = await pages.bytes(at * pages.pageBytes, HEADER_BYTES + 24 + 2 * TREE_BYTES + 16);
    const view = viewOf(bytes);
    const good = (view.getUint16(10, true) & META) !== 0 && view.getUint32(HEADER_BYTES, true) === MAGIC;
    if (at === 0) {
      if (!good) throw pages.broken('it does not begin with a meta page');
      const size = view.getUint32(HEADER_BYTES + 24, true);
      if (!(size >= 512 && size <= 65_536 && (size & (size - 1)) === 0))
        throw pages.broken(`its pages have ${size} bytes`);
      pages.pageBytes = size;
    }
    if (!good) continue;
    const version = view.getUint32(HEADER_BYTES + 4, true);
    if (version !== 1) throw pages.broken(`it has data version ${version}, and version 1 is read`);
    const trees = HEADER_BYTES + 24;
    const txn = view.getBigUint64(trees + 2 * TREE_BYTES + 8, true);
    metas.push({ txn, tree: readTree(view, trees + TREE_BYTES) });
  }
  return metas.reduce((newest, meta) => (meta.txn > newest.txn ? meta : newest)).tree;
}

function nodesOf(pages: Pages, page: { number: number; bytes: Uint8Array; flags: number }): Node[] {
  const { bytes, flags, number } = page;
  const view = viewOf(bytes);
  const isLeaf = (flags & LEAF) !== 0;
  if (isLeaf === ((flags & BRANCH) !== 0) || flags & ~(BRANCH | LEAF | 0x10))
    throw pages.broken(`page ${number} is of kind ${flags} where a tree goes on`);
  const lower = view.getUint16(12, true);
  if (lower < HEADER_BYTES || lower > bytes.length || lower % 2 !== 0)
    throw pages.broken(`page ${number} has no list of entries`);
  return Array.from({ length: (lower - HEADER_BYTES) / 2 }, (_, i) => {
    const at = view.getUint16(HEADER_BYTES + 2 * i, true);
    if (at < lower || at + NODE_BYTES > bytes.length) throw pages.broken(`entry ${i} of page ${number} lies outside`);
    const low = view.getUint16(at, true) + view.getUint16(at + 2, true) * 2 ** 16;
    const nodeFlags = view.getUint16(at + 4, true);
    const keyEnd = at + NODE_BYTES + view.getUint16(at + 6, true);
    const end = isLeaf ? keyEnd + (nodeFlags & BIG_DATA ? 8 : low) : keyEnd;
    if (end > bytes.length) throw pages.broken(`entry ${i} of page ${number} ends outside`);
    return {
      flags: isLeaf ? nodeFlags : 0,
      key: bytes.subarray(at + NODE_BYTES, keyEnd),
      page: isLeaf ? 0 : low + nodeFlags * 2 ** 32,
      data: bytes.subarray(keyEnd, end),
      dataBytes: low,
    };
  });
}

/** A leaf's value; `seen` has the pages of values that were read before: two entries never share one. */
async function leafValue(pages: Pages, node: Node, seen: Set<number> | null): Promise<Uint8Array> {
  if (node.flags & DUP_DATA) throw pages.broken('a key has several values');
  if (!(node.flags & BIG_DATA)) return node.data;
  const number = pageNumber(viewOf(node.data), 0) ?? -1;
  if (seen?.has(number)) throw pages.broken(`page ${number} belongs to two values`);
  seen?.add(number);
  const { flags } = await pages.page(number);
  if (!(flags & OVERFLOW)) throw pages.broken(`page ${number} holds no value`);
  if (node.dataBytes > MAX_VALUE_BYTES)
    throw pages.broken(`a value of ${node.dataBytes} bytes is over the limit of ${MAX_VALUE_BYTES}`);
  return pages.bytes(number * pages.pageBytes + HEADER_BYTES, node.dataBytes);
}

async function* walk(pages: Pages, { rootPage }: Tree): AsyncGenerator<{ node: Node; seen: Set<number> }> {
  if (rootPage === null) return;
  const seen = new Set<number>();
  const stack = [{ page: rootPage, depth: 0 }];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { page, depth } = next;
    if (depth > MAX_DEPTH || seen.has(page)) throw pages.broken(`its tree leads back to page ${page}`);
    seen.add(page);
    const read = await pages.page(page);
    const nodes = nodesOf(pages, read);
    if (read.flags & LEAF) for (const node of nodes) yield { node, seen };
    else for (const node of nodes.reverse()) stack.push({ page: node.page, depth: depth + 1 });
  }
}

async function find(pages: Pages, { rootPage }: Tree, key: Uint8Array): Promise<Node | null> {
  let page = rootPage;
  for (let depth = 0; page !== null; depth++) {
    if (depth > MAX_DEPTH) throw pages.broken(`its tree leads back to page ${page}`);
    const read = await pages.page(page);
    const nodes = nodesOf(pages, read);
    if (read.flags & LEAF) return nodes.find((node) => compare(node.key, key) === 0) ?? null;
    // The first key of a branch stands for everything below the second.
    const after = nodes.findIndex((node, i) => i > 0 && compare(node.key, key) > 0);
    const below = nodes.at(after < 0 ? -1 : after - 1);
    if (!below) throw pages.broken(`page ${page} leads nowhere`);
    page = below.page;
  }
  return null;
}

/**
 * Opens a file of LMDB (one file, no folder).
 * @throws FormatError for anything that is not one, and while reading for what is broken
 */
export async function openLmdb(
  url: string,
  { store, signal }: { store: Store; signal?: AbortSignal | undefined },
): Promise<LmdbFile> {
  const options = signal ? { signal } : {};
  const { bytes } = await store.stat(url, options);
  const pages = pagesOf(url, bytes, (offset, length) => store.read(url, { offset, length }, options));
  const main = await mainTree(pages);
  const encoder = new TextEncoder();
  const trees = new Map<string, Promise<Tree | null>>();
  const treeOf = (database: string) => {
    const opened = trees.get(database) ?? openTree(database);
    trees.set(database, opened);
    return opened;
  };
  async function openTree(database: string): Promise<Tree | null> {
    const node = await find(pages, main, encoder.encode(database));
    if (!node) return null;
    if (!(node.flags & SUB_DATA) || node.data.length !== TREE_BYTES) throw pages.broken(`${database} is no database`);
    return readTree(viewOf(node.data), 0);
  }
  return {
    async *entries(database) {
      const tree = await treeOf(database);
      if (!tree) return;
      for await (const { node, seen } of walk(pages, tree)) {
        signal?.throwIfAborted();
        yield { key: node.key, value: await leafValue(pages, node, seen) };
      }
    },
    async get(database, key) {
      const tree = await treeOf(database);
      const node = tree && (await find(pages, tree, key));
      return node ? leafValue(pages, node, null) : null;
    },
  };
}
