// SPDX-License-Identifier: BSD-3-Clause
// Puts JsSIP's CommonJS files and what they require into one script for the page: no bundler needed.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

export function bundleJssip() {
  const require = createRequire(import.meta.url);
  const ids = new Map();
  const parts = [];
  const add = (file) => {
    if (ids.has(file)) return ids.get(file);
    const id = ids.size;
    ids.set(file, id);
    const text = readFileSync(file, 'utf8');
    if (file.endsWith('.json')) {
      parts[id] = `function (module) { module.exports = ${text}; }`;
      return id;
    }
    const local = createRequire(file);
    const deps = {};
    for (const [, name] of text.matchAll(/\brequire\(['"]([^'"]+)['"]\)/g)) {
      const target = browserTarget(local, name);
      if (target) deps[name] = add(target);
    }
    parts[id] = `function (module, exports, require) {\n${text}\n}, ${JSON.stringify(deps)}`;
    return id;
  };
  const main = add(require.resolve('jssip'));
  const table = parts.map((p) => `[${p}]`).join(',\n');
  return `(() => {
const mods = [${table}];
const made = [];
const load = (id) => {
  if (made[id]) return made[id].exports;
  const m = made[id] = { exports: {} };
  mods[id][0](m, m.exports, (name) => load(mods[id][1][name]));
  return m.exports;
};
window.process = { env: {} };
window.JsSIP = load(${main});
})();`;
}

function browserTarget(local, name) {
  if (name === 'debug') return local.resolve('debug/src/browser.js');
  if (name === 'events') return local.resolve('events/');
  try {
    const file = local.resolve(name);
    return file.startsWith('/') ? file : null;
  } catch {
    return null;
  }
}
