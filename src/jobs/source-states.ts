import { StoreError } from '../errors.js';
import type { StoreStat } from '../io/store.js';
import { storeFor } from '../io/stores.js';
import type { CompositeSpec, SourceState } from '../stats/spec.js';

/** In which state each file of a run was read, whichever thread read it, and whenever: two states of one file are never mixed. */
export interface SourceStates {
  /** @throws StoreError with status CHANGED when a file was read in another state before */
  check(sources: readonly SourceState[]): void;
}

export function sourceStates(): SourceStates {
  const known = new Map<string, string>();
  return {
    check(sources) {
      for (const [url, state] of sources) {
        if (state === null) continue;
        const before = known.get(url) ?? state;
        if (before !== state) {
          const message = `${url} changed while it was read: start again`;
          throw new StoreError(message, { url, status: 'CHANGED', retryable: false });
        }
        known.set(url, state);
      }
    },
  };
}

const stateIn = (stat: StoreStat | null) => (stat?.tag ? `${stat.bytes} ${stat.tag}` : null);

/** What tells the state of a file from others, its size and what its store calls it, of what is known or can be asked. */
export async function stateOf(href: string): Promise<string | null> {
  try {
    const store = storeFor(href);
    return stateIn(store.known?.(href) ?? (await store.stat(href)));
  } catch {
    return null;
  }
}

/**
 * The state of a file as its store tells it now; null where it is gone, or nothing tells one state from another.
 * @throws StoreError when the store does not answer for a passing reason: that says nothing of the file
 */
export async function stateNow(href: string): Promise<string | null> {
  try {
    return stateIn(await storeFor(href).stat(href));
  } catch (error) {
    if (error instanceof StoreError && error.facts.retryable) throw error;
    return null;
  }
}

/** Addresses of all files of a run, each once. */
export function hrefsOf(spec: CompositeSpec): Set<string> {
  const scenes = spec.observations.flatMap((observation) => observation.scenes);
  return new Set(scenes.flatMap((scene) => Object.values(scene.sources).map(({ href }) => href)));
}

/** What is known of a file without asking; an address that no store understands is an error of its scene, where that is read. */
function knownOf(href: string): StoreStat | null {
  try {
    return storeFor(href).known?.(href) ?? null;
  } catch {
    return null;
  }
}

/** The states of a run's files that this thread has met already. */
export function statesMet(spec: CompositeSpec): SourceState[] {
  return [...hrefsOf(spec)].map((href) => [href, stateIn(knownOf(href))]);
}
