import en from './docs/en.json';
import { section } from './section.svelte';

export const docs = await section(en, {
  id: () => import('./docs/id.json'),
  'pt-BR': () => import('./docs/pt-BR.json'),
  es: () => import('./docs/es.json'),
});
