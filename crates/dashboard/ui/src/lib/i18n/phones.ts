import en from './phones/en.json';
import { section } from './section.svelte';

export const phones = await section(en, {
  id: () => import('./phones/id.json'),
  'pt-BR': () => import('./phones/pt-BR.json'),
  es: () => import('./phones/es.json'),
});
