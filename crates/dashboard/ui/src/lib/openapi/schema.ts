// What a schema says in words, and what a value of it looks like.
import type { Schema } from './document';

type Schemas = Record<string, Schema>;

/** Schemas may contain themselves. */
const DEEPEST = 6;

export function resolve(schema: Schema | undefined, schemas: Schemas): Schema {
  let found = schema ?? {};
  for (let step = 0; found.$ref && step < DEEPEST; step += 1) {
    const { $ref, ...beside } = found;
    found = { ...schemas[$ref.replace('#/components/schemas/', '')], ...beside };
  }
  if (found.allOf) {
    const { allOf, ...own } = found;
    const parts = [...allOf, own].map((part) => resolve(part, schemas));
    return {
      ...parts.reduce((all, part) => ({ ...all, ...part }), {}),
      properties: Object.assign({}, ...parts.map((part) => part.properties ?? {})),
      required: parts.flatMap((part) => part.required ?? []),
    };
  }
  return found;
}

const isNull = (schema: Schema): boolean => schema.type === 'null';
const choices = (schema: Schema): Schema[] => (schema.oneOf ?? schema.anyOf ?? []).filter((one) => !isNull(one));
const kinds = (schema: Schema): string[] => (Array.isArray(schema.type) ? schema.type : schema.type ? [schema.type] : []);

export function nullable(schema: Schema): boolean {
  return kinds(schema).includes('null') || (schema.oneOf ?? schema.anyOf ?? []).some(isNull);
}

/** The type in a few words: `string (date-time)`, `array of object`. */
export function typeText(given: Schema | undefined, schemas: Schemas): string {
  const schema = resolve(given, schemas);
  const own = kinds(schema).filter((kind) => kind !== 'null');
  const kind = own[0] ?? (schema.properties ? 'object' : undefined);
  if (kind === 'array') return `array of ${typeText(schema.items, schemas)}`;
  if (!kind) {
    const texts = new Set(choices(schema).map((one) => typeText(one, schemas)));
    return [...texts].join(' or ') || 'any';
  }
  return schema.format && kind === 'string' ? `${kind} (${schema.format})` : own.join(' or ') || kind;
}

/** The fields of a value, or of what it is a list of. */
export function fieldsOf(given: Schema | undefined, schemas: Schemas): { name: string; required: boolean; schema: Schema }[] {
  const schema = resolve(given, schemas);
  if (schema.properties && Object.keys(schema.properties).length > 0) {
    return Object.entries(schema.properties).map(([name, field]) => ({
      name,
      required: schema.required?.includes(name) ?? false,
      schema: field,
    }));
  }
  if (schema.items) return fieldsOf(schema.items, schemas);
  const [only, ...more] = choices(schema);
  return only && more.length === 0 ? fieldsOf(only, schemas) : [];
}

const BY_FORMAT: Record<string, unknown> = { 'date-time': '2026-01-01T08:00:00.000Z' };
const BY_KIND: Record<string, unknown> = { string: '…', integer: 1, number: 1, boolean: true };

/** A value that fits: of a request what has to be there or has an example, of an answer everything. */
export function exampleOf(given: Schema | undefined, schemas: Schemas, of: 'request' | 'answer', depth = 0): unknown {
  const schema = resolve(given, schemas);
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const [choice] = choices(schema);
  if (choice) return exampleOf(choice, schemas, of, depth + 1);
  const kind = kinds(schema)[0];
  if (kind === 'array') return depth > DEEPEST ? [] : [exampleOf(schema.items, schemas, of, depth + 1)];
  if (kind === 'object' || schema.properties) {
    if (depth > DEEPEST) return {};
    const fields = Object.entries(schema.properties ?? {}).filter(
      ([name, field]) => of === 'answer' || schema.required?.includes(name) || resolve(field, schemas).example !== undefined,
    );
    return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field, schemas, of, depth + 1)]));
  }
  return BY_FORMAT[schema.format ?? ''] ?? BY_KIND[kind ?? ''] ?? null;
}
