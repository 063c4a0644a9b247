// Chips that somebody wants to be run: the port. They wait in the order of their arrival, in the store that their results go to.

/** That a chip is to be run. */
export interface ChangeRequest {
  algorithm: string;
  h: number;
  v: number;
  /** When it was asked for first, in milliseconds since 1970. */
  requestedMs: number;
  /** Whether scenes are to be looked for anew before it runs. */
  refresh: boolean;
  /** Why it could not be run; null: it waits. */
  failure: string | null;
}

export interface RequestOptions {
  /** The time of those that are new, in milliseconds since 1970. */
  atMs: number;
  refresh?: boolean;
  /** How many may wait in all. */
  mostPending?: number;
}

export interface RequestOutcome {
  /** False: too many would wait, and nothing was added. */
  accepted: boolean;
  /** New ones; those that failed before are new again. */
  requested: number;
  alreadyPending: number;
}

/**
 * Requests for chips. A chip waits at most once. A request goes away in the transaction that writes its chip, whoever writes it, and with
 * nothing else but `remove`; one that failed stays with its reason, and waits no more.
 */
export interface ChangeRequests {
  /** Adds what does not wait already: all of it in one transaction, or nothing. */
  add(algorithm: string, chips: readonly { h: number; v: number }[], options: RequestOptions): Promise<RequestOutcome>;
  /** What is known of a chip's request; null when there is none. */
  get(algorithm: string, at: { h: number; v: number }): Promise<ChangeRequest | null>;
  /** The first that wait, in the order of their arrival. */
  next(most: number): Promise<ChangeRequest[]>;
  /** Waiting and failed ones of chips in a range, row by row. */
  within(
    algorithm: string,
    range: { hMin: number; vMin: number; hMax: number; vMax: number },
  ): Promise<ChangeRequest[]>;
  /** How many wait. */
  pending(): Promise<number>;
  /** Says why a chip that waits cannot be run; nothing happens when it does not wait. */
  fail(algorithm: string, at: { h: number; v: number }, reason: string): Promise<void>;
  /** Takes a request back; false when there was none. */
  remove(algorithm: string, at: { h: number; v: number }): Promise<boolean>;
}

const LONGEST_REASON = 1000;

/** A reason as it is kept: one line, not longer than a store should keep. */
export function reasonOf(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line;
}
