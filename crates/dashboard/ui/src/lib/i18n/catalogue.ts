import en from './catalogue/en.json';
import { section } from './section.svelte';

export const catalogue = await section(en, {
  id: () => import('./catalogue/id.json'),
  'pt-BR': () => import('./catalogue/pt-BR.json'),
  es: () => import('./catalogue/es.json'),
});
