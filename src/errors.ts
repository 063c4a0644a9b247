/** Where an error happened; every field that is known is given, and survives the way across threads. */
export interface ErrorFacts {
  url?: string;
  band?: string;
  option?: string;
  /** HTTP status, the system's error code (ENOENT, ENOSPC) or one of our own (CHANGED, NO_OVERLAP, TAKEN). */
  status?: number | string;
  /** Whether the same request may succeed if it is sent again. */
  retryable?: boolean;
  /** How long the server asks to be left alone. */
  retryAfterMs?: number;
  /** Names of what the user should look at: scene ids, files. */
  items?: string[];
}

const SECRET_VALUE =
  /([?&](?:[\w.-]*(?:sig|signature|token|secret|credential|password)|(?:[\w.]*[-_.])?(?:api)?key)=)[^&#\s"']+/gi;
const USER = /(\/\/)[^/@\s]+:[^/@\s]+@/g;

/** A text for people: what signs an address, and names and passwords in front of a host, are left out. */
export function withoutSecrets(text: string): string {
  return text.replace(SECRET_VALUE, '$1…').replace(USER, '$1…@');
}

/** What went wrong, of anything that may be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The base of all errors that stackwise throws on purpose: one line for the user, facts for programs. */
export class StackwiseError extends Error {
  override name: string = 'StackwiseError';
  readonly facts: ErrorFacts;

  constructor(message: string, facts: ErrorFacts = {}, options?: { cause?: unknown }) {
    super(withoutSecrets(message), options);
    this.facts = facts;
  }
}

/** The user can mend it: a wrong option, a missing band, no scenes. */
export class InputError extends StackwiseError {
  override name = 'InputError';
}

/** The command line itself is wrong (exit code 2). */
export class UsageError extends StackwiseError {
  override name = 'UsageError';
}

/** The bytes lie: truncated, corrupt or contradictory data. */
export class FormatError extends StackwiseError {
  override name = 'FormatError';
}

/** Valid data of a kind that is not read here, named. */
export class UnsupportedError extends StackwiseError {
  override name = 'UnsupportedError';
}

/** A file, server or bucket did not give or take the bytes. */
export class StoreError extends StackwiseError {
  override name = 'StoreError';
}

/** The WebAssembly kernels could not do their work: memory exhausted, impossible sizes. */
export class KernelError extends StackwiseError {
  override name = 'KernelError';
}

/** A worker thread died or could not be started. */
export class WorkerError extends StackwiseError {
  override name = 'WorkerError';
}

/** Scenes that could not be read (`facts.items` has their ids); a run with `onError: 'skip'` begins again without them. */
export class UnreadableScenes extends StackwiseError {
  override name = 'UnreadableScenes';
}

const CLASSES = {
  StackwiseError,
  InputError,
  UsageError,
  FormatError,
  UnsupportedError,
  StoreError,
  KernelError,
  WorkerError,
  UnreadableScenes,
};

/** An error as plain data, for the way across a thread. */
export interface PackedError {
  name: string;
  message: string;
  stack?: string;
  facts?: ErrorFacts;
  cause?: PackedError;
}

/** Packs any thrown value so that class, facts and cause survive structured cloning. */
export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  return {
    name: error.name,
    message: error.message,
    ...(error.stack && { stack: error.stack }),
    ...(error instanceof StackwiseError && { facts: error.facts }),
    ...(error.cause !== undefined && { cause: packError(error.cause) }),
  };
}

/** The inverse of {@link packError}: an error of the same class with the same facts. */
export function unpackError(packed: PackedError): Error {
  const options = packed.cause ? { cause: unpackError(packed.cause) } : undefined;
  const Class = CLASSES[packed.name as keyof typeof CLASSES];
  const error = Class ? new Class(packed.message, packed.facts, options) : new Error(packed.message, options);
  if (!Class) error.name = packed.name;
  if (packed.stack) error.stack = packed.stack;
  return error;
}
