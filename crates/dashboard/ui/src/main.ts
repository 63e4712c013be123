import './app.css';

import { mount } from 'svelte';

import App from './App.svelte';
import { preferred, setLanguage } from './lib/i18n/index.svelte';

await setLanguage(preferred(), false).catch(() => setLanguage('en', false));
const target = document.getElementById('app');
if (target) mount(App, { target });
