// The gateway's own description, as far as the documentation shows it.
export type Schema = {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  example?: unknown;
  default?: unknown;
  enum?: unknown[];
  title?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
};
export type Parameter = {
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  required?: boolean;
  description?: string;
  example?: unknown;
  schema?: Schema;
};
type Content = Record<string, { schema?: Schema; example?: unknown }>;
type RawOperation = {
  operationId: string;
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Content };
  responses: Record<string, { description: string; content?: Content }>;
  security?: Record<string, unknown>[];
};
type RawDocument = {
  info: { version: string };
  paths: Record<string, Record<string, RawOperation>>;
  components: { schemas: Record<string, Schema> };
  security?: Record<string, unknown>[];
  tags?: { name: string; description?: string }[];
};

export type Answer = { status: string; description: string; type: string | null; schema: Schema | undefined; example: unknown };
export type Operation = {
  id: string;
  method: string;
  path: string;
  tag: string;
  summary: string;
  description: string;
  parameters: Parameter[];
  body: { required: boolean; schema: Schema | undefined; example: unknown } | null;
  answers: Answer[];
  /** What lets a caller in. */
  access: 'open' | 'key' | 'session';
  endless: boolean;
};
export type Group = { tag: string; description: string; operations: Operation[] };
export type ApiDocument = { version: string; groups: Group[]; schemas: Record<string, Schema> };

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
export const JSON_TYPE = 'application/json';

function operationOf(raw: RawDocument, path: string, method: string, found: RawOperation): Operation {
  const security = found.security ?? raw.security ?? [];
  const open = security.length === 0 || security.every((way) => Object.keys(way).length === 0);
  const body = found.requestBody;
  const content = body?.content[JSON_TYPE];
  const answers = Object.entries(found.responses).map(([status, { description, content }]) => {
    const [type, what] = Object.entries(content ?? {})[0] ?? [null, undefined];
    return { status, description, type, schema: what?.schema, example: what?.example };
  });
  return {
    id: found.operationId,
    method: method.toUpperCase(),
    path,
    tag: found.tags?.[0] ?? 'about',
    summary: found.summary ?? found.operationId,
    description: found.description ?? '',
    parameters: found.parameters ?? [],
    body: body ? { required: body.required ?? false, schema: content?.schema, example: content?.example } : null,
    answers: answers.sort((a, b) => a.status.localeCompare(b.status)),
    access: open ? 'open' : security.some((way) => 'session' in way) ? 'session' : 'key',
    endless: answers.some(({ type }) => type === 'text/event-stream'),
  };
}

/** Everything that is described, group by group. Groups that come `first` do so, the others as they are described. */
export function read(raw: RawDocument, first: string[]): ApiDocument {
  const operations = Object.entries(raw.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const found = item[method];
      return found ? [operationOf(raw, path, method, found)] : [];
    }),
  );
  const described = new Map(raw.tags?.map(({ name, description }) => [name, description ?? '']));
  const tags = new Set([...first, ...described.keys(), ...operations.map(({ tag }) => tag)]);
  const groups = [...tags].map((tag) => ({
    tag,
    description: described.get(tag) ?? '',
    operations: operations.filter((operation) => operation.tag === tag),
  }));
  return {
    version: raw.info.version,
    groups: groups.filter(({ operations }) => operations.length > 0),
    schemas: raw.components.schemas,
  };
}
