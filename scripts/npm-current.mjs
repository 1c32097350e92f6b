// Exits 0 when node_modules holds what package-lock.json asks for, else 1: the
// record that npm leaves in node_modules is compared with the lock file.
import { readFileSync } from 'node:fs';

const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

let wanted, installed;
try {
  wanted = packagesOf('package-lock.json');
  installed = packagesOf('node_modules/.package-lock.json');
} catch {
  process.exit(1);
}
const lacks = Object.entries(wanted).some(
  ([path, p]) => path.includes('node_modules/') && !p.optional && installed[path]?.version !== p.version,
);
const differs = Object.entries(installed).some(([path, p]) => wanted[path]?.version !== p.version);
process.exit(lacks || differs ? 1 : 0);
