// Checks requests against the schemas of their routes. The only file that knows the validator.
import { type Refusal, refusalOf } from './refusal.js';

/** A JSON schema. */
export type Schema = Readonly<Record<string, unknown>>;

type Check = (data: unknown) => { error: Refusal } | { value: unknown };

/** Parts of a request whose values are text at first. */
const TEXT_PARTS = ['params', 'querystring', 'headers'];

/** Gives a check for a schema: numbers and booleans of addresses are read from text, those of bodies are not. */
export async function schemaChecks(): Promise<(route: { schema: unknown; httpPart?: string }) => Check> {
  const { Ajv } = await import('ajv');
  const options = { allErrors: false, strict: false, useDefaults: true } as const;
  const [text, json] = [new Ajv({ ...options, coerceTypes: true }), new Ajv(options)];
  return ({ schema, httpPart = 'body' }) => {
    const check = (TEXT_PARTS.includes(httpPart) ? text : json).compile(schema as object);
    return (data) => (check(data) ? { value: data } : { error: refusalOf(check.errors![0]!, data, httpPart) });
  };
}
