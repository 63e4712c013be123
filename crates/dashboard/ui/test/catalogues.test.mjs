// Every language says everything, with the same values in it, and nothing that nobody shows.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('../src/', import.meta.url);
const read = (path) => readFileSync(new URL(path, here), 'utf8');
const catalogue = (language) => JSON.parse(read(`lib/i18n/${language}.json`));

const OTHERS = ['es', 'id', 'pt-BR'];
/** The texts of every screen, and those that come with one. */
const entries = readdirSync(new URL('lib/i18n/', here), { withFileTypes: true });
const folders = ['', ...entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${name}/`)];
const values = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

/** Names of states and the like come from the API, so they stand in no source. */
const NAMED_BY_THE_API =
  /^(access|advice|call|delivery|in|job_state|key_scope|kind|live|message|problem|reason|script|seed|seed_text|state|tag|theme|type|webhook_state)\./;

for (const folder of folders) {
  const files = readdirSync(new URL(`lib/i18n/${folder}`, here)).filter((file) => file.endsWith('.json'));
  test(`there are four languages in /${folder}`, () => {
    assert.deepEqual(files.sort(), ['en.json', ...OTHERS.map((language) => `${language}.json`)]);
  });
}

for (const [folder, language] of folders.flatMap((folder) => OTHERS.map((language) => [folder, language]))) {
  test(`${language} says in /${folder} what English says`, () => {
    const texts = catalogue(folder + language);
    const english = catalogue(`${folder}en`);
    assert.deepEqual(Object.keys(texts), Object.keys(english));
    for (const [key, text] of Object.entries(texts)) {
      assert.notEqual(text.trim(), '', key);
      // In one language the singular may need no number.
      if (!key.endsWith('_one')) assert.deepEqual(values(text), values(english[key]), key);
    }
  });

  test(`${language} in /${folder} is not English`, () => {
    const english = catalogue(`${folder}en`);
    const same = Object.entries(catalogue(folder + language)).filter(([key, text]) => text === english[key] && / .* /.test(text));
    assert.deepEqual(same, []);
  });
}

test('every text is shown somewhere', () => {
  const sources = readdirSync(here, { recursive: true })
    .filter((file) => /\.(svelte|ts)$/.test(file))
    .map(read)
    .join('\n');
  const all = folders.flatMap((folder) => Object.keys(catalogue(`${folder}en`)));
  const unused = all.filter((key) => {
    const base = key.replace(/_(one|other)$/, '');
    return !NAMED_BY_THE_API.test(key) && !sources.includes(`'${base}'`);
  });
  assert.deepEqual(unused, []);
});

test('nothing is put into the page as markup', () => {
  for (const file of readdirSync(here, { recursive: true }).filter((file) => /\.(svelte|ts)$/.test(file))) {
    assert.doesNotMatch(read(file), /\{@html|innerHTML|insertAdjacentHTML/, file);
  }
});
