// Checks that the types of the zim entry and those of zego-zim-web 2.29.0
// accept each other, as far as they are built. What is not built stands in
// zim-skip.json, which may only shrink.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertions, compareNames, compile, readSurface } from './zim-surface.mjs';

// As many names as the skip list holds. Lower it with the list; never raise it.
const MAX_SKIPPED = 488;

const here = dirname(fileURLToPath(import.meta.url));
const refFile = join(dirname(createRequire(import.meta.url).resolve('zego-zim-web/package.json')), 'entity', 'index.d.ts');
const oursFile = join(here, '..', 'src', 'zim', 'index.ts');
const generated = join(here, '..', 'test', '.generated', 'zim-types.ts');

const reference = readSurface(refFile);
const ours = readSurface(oursFile);
const skipped = JSON.parse(readFileSync(join(here, 'zim-skip.json'), 'utf8'));
const complaints = compareNames(reference, ours, skipped);

const count = Object.values(skipped).flat().length;
if (count > MAX_SKIPPED) complaints.push(`the skip list has ${count} names, at most ${MAX_SKIPPED} are allowed`);
if (count < MAX_SKIPPED) complaints.push(`the skip list has shrunk to ${count} names: set MAX_SKIPPED to that`);

const file = assertions(reference, ours, 'zego-zim-web', '../../src/zim/index.js');
mkdirSync(dirname(generated), { recursive: true });
writeFileSync(generated, file.text);
complaints.push(...compile(generated));

for (const complaint of complaints) console.error(complaint);
console.log(`zim types: ${file.count} assertions, ${count} names skipped, ${complaints.length} complaints`);
process.exitCode = complaints.length === 0 ? 0 : 1;
