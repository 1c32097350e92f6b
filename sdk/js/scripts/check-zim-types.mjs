// Checks that the types of the package and those of zego-zim-web 2.29.0 accept
// each other, name by name, and that none is missing.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertions, compile, missingNames, readSurface } from './zim-surface.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const refFile = join(dirname(createRequire(import.meta.url).resolve('zego-zim-web/package.json')), 'entity', 'index.d.ts');
const oursFile = join(here, '..', 'src', 'zim', 'index.ts');
const generated = join(here, '..', 'test', '.generated', 'zim-types.ts');

const reference = readSurface(refFile);
const ours = readSurface(oursFile);
const complaints = missingNames(reference, ours);

const file = assertions(reference, ours, 'zego-zim-web', '../../src/zim/index.js');
mkdirSync(dirname(generated), { recursive: true });
writeFileSync(generated, file.text);
complaints.push(...compile(generated));

for (const complaint of complaints) console.error(complaint);
console.log(`zim types: ${file.count} assertions, ${complaints.length} complaints`);
process.exitCode = complaints.length === 0 ? 0 : 1;
