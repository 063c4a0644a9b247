// Sorting and selection networks as straight-line SIMD code: Batcher's networks, pruned to the ranks that are wanted,
// scheduled so that values stay in registers, and put through a register allocator of our own (V8 spills badly when it
// is given the plain network: half the speed at 64 values).
//
// A comparator is [a, b] with a < b: afterwards wire a holds the smaller and wire b the larger value.
// A pruned comparator is [a, b, low, high], where low and high (0 or 1) say which of the two outputs is used later.

/** Live v128 locals that V8 keeps in its 15 usable xmm registers, with room for a temporary; 10 to 14 make no difference. */
const REGISTERS = 11;

/** Batcher's merge exchange (Knuth 5.2.2 M): sorts any n, layer by layer. */
export function batcher(n) {
  const net = [];
  const top = 2 ** (Math.ceil(Math.log2(n)) - 1);
  for (let p = top; p >= 1; p >>= 1) {
    for (let q = top, r = 0, d = p; ; d = q - p, q >>= 1, r = p) {
      for (let i = 0; i < n - d; i++) if ((i & p) === r) net.push([i, i + d]);
      if (q === p) break;
    }
  }
  return net;
}

/** Batcher's odd-even merge sort in recursive (depth-first) order, which uses each wire many times in a row. Sorts any n. */
export function oddEvenMerge(n) {
  const net = [];
  const merge = (from, length, step) => {
    const twice = step * 2;
    if (twice >= length) {
      net.push([from, from + step]);
      return;
    }
    merge(from, length, twice);
    merge(from + step, length, twice);
    for (let i = from + step; i + step < from + length; i += twice) net.push([i, i + step]);
  };
  const sort = (from, length) => {
    if (length < 2) return;
    sort(from, length / 2);
    sort(from + length / 2, length / 2);
    merge(from, length, 1);
  };
  let size = 1;
  while (size < n) size *= 2;
  sort(0, size);
  // Wires from n on would hold +∞, which no comparator moves.
  return net.filter(([, b]) => b < n);
}

/** Keeps what the given ranks (wires at the end) depend on: whole comparators are dropped, others lose one output. */
export function prune(n, net, ranks) {
  const needed = new Uint8Array(n);
  for (const rank of ranks) needed[rank] = 1;
  const kept = [];
  for (const [a, b] of net.toReversed()) {
    if (!needed[a] && !needed[b]) continue;
    kept.push([a, b, needed[a], needed[b]]);
    needed[a] = needed[b] = 1;
  }
  return kept.reverse();
}

/** The number of min and max operations of a pruned network. */
export function operations(net) {
  return net.reduce((sum, [, , low, high]) => sum + low + high, 0);
}

/**
 * Reorders a pruned network, within its dependencies, so that comparators follow each other that share wires: greedily takes
 * the one whose wires were used last, as an LRU cache of `registers` wires sees it, and the earlier one when in doubt.
 */
export function schedule(n, net, registers = REGISTERS) {
  const last = new Int32Array(n).fill(-1);
  const waitsFor = new Int32Array(net.length);
  const followers = net.map(() => []);
  net.forEach(([a, b], i) => {
    for (const wire of [a, b]) {
      if (last[wire] >= 0) {
        followers[last[wire]].push(i);
        waitsFor[i]++;
      }
      last[wire] = i;
    }
  });
  let recent = [];
  const cost = (i) => {
    const [a, b] = net[i];
    let sum = i * 0.01;
    for (const age of [recent.indexOf(a), recent.indexOf(b)]) sum += age < 0 ? 100 : -0.2 * age;
    return sum;
  };
  const ready = net.map((_, i) => i).filter((i) => waitsFor[i] === 0);
  const order = [];
  while (ready.length > 0) {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    ready.forEach((i, at) => {
      const c = cost(i);
      if (c < least) {
        least = c;
        best = at;
      }
    });
    const [chosen] = ready.splice(best, 1);
    order.push(net[chosen]);
    const [a, b] = net[chosen];
    recent = [b, a, ...recent.filter((wire) => wire !== a && wire !== b)].slice(0, registers);
    for (const next of followers[chosen]) if (--waitsFor[next] === 0) ready.push(next);
  }
  return order;
}

/**
 * Assigns registers in the order given, evicting the wire whose next use is farthest (Belady). All wires start in memory;
 * the wires in `ranks` end there. Returns { op: 'load' | 'store', wire, register } and
 * { op: 'compare', a, b, low, high } with a and b as registers.
 */
export function allocate(n, net, ranks, registers = REGISTERS) {
  const uses = Array.from({ length: n }, () => []);
  net.forEach(([a, b], i) => {
    uses[a].push(i);
    uses[b].push(i);
  });
  const wanted = new Set(ranks);
  const held = new Map();
  const dirty = new Set();
  const free = Array.from({ length: registers }, (_, i) => registers - 1 - i);
  const steps = [];
  const release = (wire) => {
    free.push(held.get(wire));
    held.delete(wire);
    dirty.delete(wire);
  };
  const store = (wire) => {
    if (dirty.delete(wire)) steps.push({ op: 'store', wire, register: held.get(wire) });
  };
  const evict = (keep) => {
    let victim = -1;
    let farthest = -1;
    for (const wire of held.keys()) {
      if (keep.includes(wire)) continue;
      const next = uses[wire][0] ?? Number.POSITIVE_INFINITY;
      if (next > farthest) {
        farthest = next;
        victim = wire;
      }
    }
    store(victim);
    release(victim);
  };
  for (const [a, b, low, high] of net) {
    for (const wire of [a, b]) {
      if (held.has(wire)) continue;
      if (free.length === 0) evict([a, b]);
      held.set(wire, free.pop());
      steps.push({ op: 'load', wire, register: held.get(wire) });
    }
    steps.push({ op: 'compare', a: held.get(a), b: held.get(b), low, high });
    for (const [wire, used] of [
      [a, low],
      [b, high],
    ]) {
      uses[wire].shift();
      if (used) dirty.add(wire);
      // A value that nobody reads again needs no register, nor does a wanted one after its last comparator.
      if (used && uses[wire].length === 0 && wanted.has(wire)) store(wire);
      if (!used || uses[wire].length === 0) release(wire);
    }
  }
  return steps;
}

/** The network with the fewest operations that selects `ranks` of n, scheduled. */
export function selection(n, ranks) {
  const [best] = [oddEvenMerge(n), batcher(n)]
    .map((net) => prune(n, net, ranks))
    .sort((p, q) => operations(p) - operations(q));
  return schedule(n, best);
}

// In an f32 network equal values must change places or not in both halves alike (−0 and +0): hence pmax(b, a).
const MIN_MAX = {
  u16: { min: (a, b) => `i16x8.min_u(${a}, ${b})`, max: (a, b) => `i16x8.max_u(${a}, ${b})` },
  f32: { min: (a, b) => `f32x4.pmin(${a}, ${b})`, max: (a, b) => `f32x4.pmax(${b}, ${a})` },
};

/**
 * AssemblyScript source of `function name(p: usize): void`: of `size` rows of one v128 each, at p + row × rowBytes, the rows
 * in `ranks` hold the values of these ranks (0 = smallest) afterwards, lane by lane; the other rows are destroyed.
 * `type` is u16 (8 lanes) or f32 (4 lanes, no NaN). All ranks together make a full sort.
 */
export function emitSelection({ name, size, rowBytes, type, ranks }) {
  const { min, max } = MIN_MAX[type];
  const used = new Set();
  const lines = allocate(size, selection(size, ranks), ranks).map((step) => {
    if (step.op === 'store') return `v128.store(p, r${step.register}, ${step.wire * rowBytes});`;
    if (step.op === 'load') {
      used.add(step.register);
      return `r${step.register} = v128.load(p, ${step.wire * rowBytes});`;
    }
    const a = `r${step.a}`;
    const b = `r${step.b}`;
    if (step.low && step.high) return `t = ${min(a, b)}; ${b} = ${max(a, b)}; ${a} = t;`;
    return step.low ? `${a} = ${min(a, b)};` : `${b} = ${max(a, b)};`;
  });
  const registers = [...used].sort((x, y) => x - y).map((r) => `r${r}: v128 = i32x4.splat(0)`);
  return [
    `function ${name}(p: usize): void {`,
    `  let t: v128, ${registers.join(', ')};`,
    ...lines.map((line) => `  ${line}`),
    '}',
    '',
  ].join('\n');
}
