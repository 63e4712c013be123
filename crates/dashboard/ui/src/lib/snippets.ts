// The request that was just made, in the words of four languages. The key is left to the reader.
export const SNIPPETS = ['curl', 'php', 'python', 'node'] as const;
export type Snippet = (typeof SNIPPETS)[number];
type Request = { url: string; idempotencyKey: string; body: object };

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

export function snippet(language: Snippet, request: Request): string {
  const body = shortened(request.body);
  const json = JSON.stringify(body, null, 2);
  const { url, idempotencyKey: key } = request;
  switch (language) {
    case 'curl':
      return [
        `curl -X POST ${shell(url)} \\`,
        `  -H "X-Api-Key: $WAGATE_API_KEY" \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  -H ${shell(`Idempotency-Key: ${key}`)} \\`,
        `  -d ${shell(json)}`,
      ].join('\n');
    case 'php':
      return `<?php
$request = curl_init(${php(url)});
curl_setopt_array($request, [
    CURLOPT_POST => true,
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_HTTPHEADER => [
        'X-Api-Key: ' . getenv('WAGATE_API_KEY'),
        'Content-Type: application/json',
        ${php(`Idempotency-Key: ${key}`)},
    ],
    CURLOPT_POSTFIELDS => ${php(json)},
]);
echo curl_exec($request);`;
    case 'python':
      return `import json, os, urllib.request

request = urllib.request.Request(
    ${JSON.stringify(url)},
    data=json.dumps(${JSON.stringify(body, null, 4).replaceAll('\n', '\n    ')}).encode(),
    headers={
        "X-Api-Key": os.environ["WAGATE_API_KEY"],
        "Content-Type": "application/json",
        "Idempotency-Key": ${JSON.stringify(key)},
    },
)
print(urllib.request.urlopen(request).read().decode())`;
    case 'node':
      return `const response = await fetch(${JSON.stringify(url)}, {
  method: 'POST',
  headers: {
    'X-Api-Key': process.env.WAGATE_API_KEY,
    'Content-Type': 'application/json',
    'Idempotency-Key': ${JSON.stringify(key)},
  },
  body: JSON.stringify(${json.replaceAll('\n', '\n  ')}),
});
console.log(await response.json());`;
  }
}
