// Operations as the documentation lists them: the thirteen with their numbers and in the reader's language.
import { docs } from '../i18n/docs';
import type { Group, Operation } from './document';
import { SEED } from './seed';

export type Entry = { operation: Operation; title: string; text: string; english: boolean };
export type Chapter = { tag: string; title: string; entries: Entry[] };

export const SEED_TAG = 'seed';

function plain(operation: Operation): Entry {
  return { operation, title: operation.summary, text: '', english: true };
}

function ofSeed(operations: Operation[]): Entry[] {
  const byId = new Map(operations.map((operation) => [operation.id, operation]));
  const known = SEED.flatMap(({ number, key, operations }) =>
    operations.flatMap((id) => {
      const operation = byId.get(id);
      if (!operation) return [];
      byId.delete(id);
      const title = docs.named('seed', key) ?? operation.summary;
      return [{ operation, title: number ? `${number}. ${title}` : title, text: docs.named('seed_text', key) ?? '', english: false }];
    }),
  );
  return [...known, ...[...byId.values()].map(plain)];
}

/** What fits `search`, chapter by chapter; chapters without any are left out. */
export function chapters(groups: Group[], search: string): Chapter[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ operation, title, text }: Entry): boolean => {
    const all = [operation.method, operation.path, operation.id, operation.summary, title, text].join(' ').toLowerCase();
    return words.every((word) => all.includes(word));
  };
  return groups
    .map(({ tag, operations }) => ({
      tag,
      title: docs.named('tag', tag) ?? tag,
      entries: (tag === SEED_TAG ? ofSeed(operations) : operations.map(plain)).filter(fits),
    }))
    .filter(({ entries }) => entries.length > 0);
}
