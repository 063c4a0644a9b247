// Checks requests against the schemas of their routes. The only file that knows the validator.
import { type Refusal, refusalOf } from './refusal.js';

/** A JSON schema. */
export type Schema = Readonly<Record<string, unknown>>;

type Check = (data: unknown) => { error: Refusal } | { value: unknown };

/** Parts of a request whose values are text at first. */
const TEXT_PARTS = ['params', 'querystring', 'headers'];

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The refusal of a text that is no decimal number, for a blank or 0x10 would be read as one. */
function notDecimal(schema: Schema, data: unknown, part: string): Refusal | null {
  for (const [name, { type }] of Object.entries((schema.properties ?? {}) as Record<string, Schema>)) {
    const value = (data as Record<string, unknown> | null)?.[name];
    if ((type !== 'number' && type !== 'integer') || typeof value !== 'string' || NUMBER.test(value)) continue;
    return refusalOf({ instancePath: `/${name}`, keyword: 'type', params: { type } }, data, part);
  }
  return null;
}

/** Gives a check for a schema: numbers and booleans of addresses are read from text, those of bodies are not. */
export async function schemaChecks(): Promise<(route: { schema: unknown; httpPart?: string }) => Check> {
  const { Ajv } = await import('ajv');
  const options = { allErrors: false, strict: false, useDefaults: true } as const;
  const [text, json] = [new Ajv({ ...options, coerceTypes: true }), new Ajv(options)];
  return ({ schema, httpPart = 'body' }) => {
    const isText = TEXT_PARTS.includes(httpPart);
    const check = (isText ? text : json).compile(schema as object);
    return (data) => {
      const refusal = isText ? notDecimal(schema as Schema, data, httpPart) : null;
      if (refusal) return { error: refusal };
      return check(data) ? { value: data } : { error: refusalOf(check.errors![0]!, data, httpPart) };
    };
  };
}
