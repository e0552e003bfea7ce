#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// The table of RESULTS.md from the --json files of some runs:
//   node tests/attack/table.mjs NAME=FILE[,FILE...] NAME=FILE[,FILE...]
import { readFileSync } from 'node:fs';

const columns = process.argv.slice(2).map((a) => {
  const [name, files] = a.split('=');
  return { name, cases: files.split(',').flatMap((f) => JSON.parse(readFileSync(f, 'utf8')).cases) };
});

const ORDER = ['before', 'during', 'after'];
const place = (c) => `${c.when}/${c.from}`;

/** "before, during: stranger, browser; after: stranger" */
function places(cases) {
  const byWho = new Map();
  for (const when of ORDER) {
    const who = cases.filter((c) => c.when === when).map((c) => c.from).join(', ');
    if (who) byWho.set(who, [...(byWho.get(who) ?? []), when]);
  }
  return [...byWho].map(([who, when]) => `${when.join(', ')}: ${who}`).join('; ');
}

function result(cases) {
  const failed = cases.filter((c) => !c.passed);
  if (cases.length === 0) return 'not run';
  if (failed.length === 0) return 'holds';
  const reasons = new Map();
  for (const c of failed) {
    const why = c.why.replace(/\d+/g, 'n');
    reasons.set(why, [...(reasons.get(why) ?? []), c]);
  }
  const told = [...reasons.values()].map((list) => `${list.map(place).join(', ')}: ${list[0].why}`);
  return `${failed.length} of ${cases.length}: ${told.join('; ')}`;
}

const names = [...new Set(columns.flatMap((c) => c.cases.map((x) => x.name)))];
console.log(`| case | what | when: who | judged | ${columns.map((c) => c.name).join(' | ')} |`);
console.log(`|---|---|---|---|${columns.map(() => '---|').join('')}`);
for (const name of names) {
  const of = (c) => c.cases.filter((x) => x.name === name);
  const first = columns.map(of).find((l) => l.length > 0);
  console.log(`| \`${name}\` | ${first[0].what} | ${places(first)} | ${first[0].judged} | ${columns.map((c) => result(of(c))).join(' | ')} |`);
}
