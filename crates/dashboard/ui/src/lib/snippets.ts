// A request in the words of four languages. The key is left to the reader, in WAGATE_API_KEY.
export const SNIPPETS = ['curl', 'php', 'python', 'node'] as const;
export type Snippet = (typeof SNIPPETS)[number];
export type Request = {
  method: string;
  url: string;
  /** The header that takes the API key; none where none is needed. */
  key: string | null;
  headers: Record<string, string>;
  body?: object;
  /** Whether the answer has no end. */
  endless?: boolean;
};

/** Longest `data:` address that is shown in full; the rest of a longer one is left out. */
const LONGEST_VALUE = 120;

function shortened(body: object): object {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]: [string, unknown]) => {
      const long = typeof value === 'string' && value.startsWith('data:') && value.length > LONGEST_VALUE;
      return [name, long ? `${value.slice(0, 60)}…` : value];
    }),
  );
}

/** In single quotes for a POSIX shell, where nothing but the quote itself has a meaning. */
const shell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** In single quotes for PHP. */
const php = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** JSON as Python writes it. Strings are the same in both. */
function python(value: unknown, indent: string): string {
  const inner = `${indent}    `;
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) {
    return value.length ? `[\n${value.map((one) => inner + python(one, inner)).join(',\n')},\n${indent}]` : '[]';
  }
  if (typeof value === 'object') {
    const pairs = Object.entries(value).map(([name, one]) => `${inner}${JSON.stringify(name)}: ${python(one, inner)}`);
    return pairs.length ? `{\n${pairs.join(',\n')},\n${indent}}` : '{}';
  }
  return JSON.stringify(value);
}

const MAKERS: Record<Snippet, (request: Request) => string> = { curl, php: inPhp, python: inPython, node: inNode };

export function snippet(language: Snippet, request: Request): string {
  return MAKERS[language](request.body ? { ...request, body: shortened(request.body) } : request);
}

const CONTENT_TYPE = 'Content-Type';
const headersOf = ({ headers, body }: Request): [string, string][] =>
  Object.entries(body ? { [CONTENT_TYPE]: 'application/json', ...headers } : headers);

function curl(request: Request): string {
  const { method, url, key, body, endless } = request;
  return [
    `curl${endless ? ' -N' : ''}${method === 'GET' ? '' : ` -X ${method}`} ${shell(url)}`,
    ...(key ? [`-H "${key}: $WAGATE_API_KEY"`] : []),
    ...headersOf(request).map(([name, value]) => `-H ${shell(`${name}: ${value}`)}`),
    ...(body ? [`-d ${shell(JSON.stringify(body, null, 2))}`] : []),
  ].join(' \\\n  ');
}

function inPhp(request: Request): string {
  const { method, url, key, body, endless } = request;
  const headers = [
    ...(key ? [`${php(`${key}: `)} . getenv('WAGATE_API_KEY')`] : []),
    ...headersOf(request).map(([name, value]) => php(`${name}: ${value}`)),
  ];
  // Without an extension: what every PHP can do. `ignore_errors` gives the answer also when it is a refusal.
  const options = [
    ...(method === 'GET' ? [] : [`'method' => ${php(method)}`]),
    ...(headers.length ? [`'header' => [\n${headers.map((one) => `        ${one},\n`).join('')}    ]`] : []),
    ...(body ? [`'content' => ${php(JSON.stringify(body, null, 2))}`] : []),
    `'ignore_errors' => true`,
  ];
  const show = endless
    ? `fpassthru(fopen(${php(url)}, 'r', false, $context));`
    : `echo file_get_contents(${php(url)}, false, $context);`;
  return `<?php
$context = stream_context_create(['http' => [
${options.map((one) => `    ${one},\n`).join('')}]]);
${show}`;
}

function inPython(request: Request): string {
  const { method, url, key, body, endless } = request;
  const headers = [
    ...(key ? [`${JSON.stringify(key)}: os.environ["WAGATE_API_KEY"]`] : []),
    ...headersOf(request).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`),
  ];
  const parts = [
    JSON.stringify(url),
    ...(method === 'GET' ? [] : [`method=${JSON.stringify(method)}`]),
    ...(headers.length ? [`headers={\n${headers.map((one) => `        ${one},\n`).join('')}    }`] : []),
    ...(body ? [`data=json.dumps(${python(body, '    ')}).encode()`] : []),
  ];
  const imports = [...(body ? ['json'] : []), ...(key ? ['os'] : []), 'urllib.error', 'urllib.request'];
  const show = endless
    ? 'for line in answer:\n    print(line.decode(), end="", flush=True)'
    : 'print(answer.status, answer.read().decode())';
  return `import ${imports.join(', ')}

request = urllib.request.Request(
${parts.map((one) => `    ${one},\n`).join('')})
try:
    answer = urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    answer = error
${show}`;
}

function inNode(request: Request): string {
  const { method, url, key, body, endless } = request;
  const headers = [
    ...(key ? [`${php(key)}: process.env.WAGATE_API_KEY`] : []),
    ...headersOf(request).map(([name, value]) => `${php(name)}: ${JSON.stringify(value)}`),
  ];
  const options = [
    ...(method === 'GET' ? [] : [`method: ${php(method)}`]),
    ...(headers.length ? [`headers: {\n${headers.map((one) => `    ${one},\n`).join('')}  }`] : []),
    ...(body ? [`body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll('\n', '\n  ')})`] : []),
  ];
  const given = options.length ? `, {\n${options.map((one) => `  ${one},\n`).join('')}}` : '';
  const show = endless
    ? 'for await (const part of response.body.pipeThrough(new TextDecoderStream())) process.stdout.write(part);'
    : 'console.log(response.status, await response.text());';
  return `const response = await fetch(${JSON.stringify(url)}${given});
${show}`;
}
