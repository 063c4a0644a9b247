/** The far end of a worker thread, the same in Node and in a browser. */
export interface WorkerPort {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  listen(on: { message: (data: unknown) => void; failed: (error: Error) => void }): void;
  stop(): Promise<void>;
}

/** Scratch space outside memory. */
export interface Spill {
  write(offset: number, bytes: Uint8Array): void;
  /** Fills `bytes` from `offset`. */
  read(offset: number, bytes: Uint8Array): void;
  close(): void;
}
