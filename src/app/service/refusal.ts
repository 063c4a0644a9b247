// What the service says when it does not do what was asked: one shape for all.
import { InputError } from '../../errors.js';

/** The body of every error; null where there is nothing to say. */
export interface RefusalBody {
  /** One line for people. */
  error: string;
  /** The part of the request that is wrong. */
  field: string | null;
  wanted: string | null;
  got: string | null;
}

interface RefusalFacts extends Partial<Omit<RefusalBody, 'error'>> {
  headers?: Record<string, string>;
  /** Further fields of the body. */
  more?: Record<string, unknown>;
}

/** A refusal with its HTTP status. */
export class Refusal extends Error {
  readonly status: number;
  readonly facts: RefusalFacts;

  constructor(status: number, error: string, facts: RefusalFacts = {}) {
    super(error);
    this.status = status;
    this.facts = facts;
  }

  get body(): RefusalBody & Record<string, unknown> {
    const { field = null, wanted = null, got = null, more } = this.facts;
    return { error: this.message, field, wanted, got, ...more };
  }
}

const LONGEST = 100;

/** A value as it came, for messages. */
export function shown(value: unknown): string {
  const isPlain = typeof value === 'string' || typeof value === 'number';
  const text = isPlain ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** What a schema says of a value, as Ajv gives it. */
interface Complaint {
  instancePath?: string;
  keyword: string;
  params: Record<string, unknown>;
  message?: string;
}

const TYPE_NAMES: Readonly<Record<string, string>> = { integer: 'a whole number', object: 'an object', null: 'null' };

function wantedOf({ keyword, params, message }: Complaint): string {
  if (keyword === 'enum') return (params.allowedValues as unknown[]).map(String).join(', ');
  if (keyword === 'required') return 'a value';
  if (keyword === 'additionalProperties') return 'no such field';
  if (keyword === 'type') {
    const types = [params.type].flat().map(String);
    return types.map((type) => TYPE_NAMES[type] ?? `a ${type}`).join(' or ');
  }
  return (message ?? keyword).replace(/^must be /, '');
}

/** The value at a JSON pointer. */
function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const step of pointer.split('/').slice(1)) value = (value as Record<string, unknown> | undefined)?.[step];
  return value;
}

/** The refusal of a value that its schema does not take. */
export function refusalOf(complaint: Complaint, root: unknown, part: string): Refusal {
  const { instancePath = '', params, keyword } = complaint;
  const own = params.missingProperty ?? params.additionalProperty;
  const pointer = own === undefined ? instancePath : `${instancePath}/${String(own)}`;
  const field = pointer === '' ? part : pointer.slice(1).replaceAll('/', '.');
  const wanted = wantedOf(complaint);
  const got = keyword === 'required' ? 'nothing' : shown(valueAt(root, pointer));
  return new Refusal(400, `${field}: wanted ${wanted}, got ${got}`, { field, wanted, got });
}

/** Statuses that the server library refuses with, and what is behind them. */
const REASONS: Readonly<Record<number, string>> = {
  413: 'the body is too large',
  415: 'the body must be application/json',
};

/** Any error as a refusal; null for one that is no fault of the request. */
export function refusalFor(error: unknown): Refusal | null {
  if (error instanceof Refusal) return error;
  if (error instanceof InputError) return new Refusal(400, error.message, { field: error.facts.option ?? null });
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return null;
  const field = [413, 415].includes(statusCode) ? 'body' : /body/i.test(message ?? '') ? 'body' : null;
  return new Refusal(statusCode, REASONS[statusCode] ?? message ?? 'the request is wrong', { field });
}
