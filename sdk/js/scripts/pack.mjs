// Packs what `npm install` needs, as npm itself would, but so that the bytes
// depend on the built files alone: sorted names, no times, no users, no paths of
// this machine. Usage: node scripts/pack.mjs FILE.tgz
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BLOCK = 512;
// The time that npm gives to every file: some programs refuse 1970.
const EPOCH = Date.UTC(1985, 9, 26, 8, 15) / 1000;
const root = new URL('..', import.meta.url);

const files = new Map([
  ['package.json', manifest()],
  ['README.md', readFileSync(new URL('README.md', root))],
  ['LICENSE', readFileSync(new URL('../../LICENSE', root))],
  ...readdirSync(new URL('dist', root)).map((name) => [`dist/${name}`, readFileSync(new URL(`dist/${name}`, root))]),
]);
const entries = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, content]) => entry(`package/${name}`, content));
const packed = gzipSync(Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]), { level: 9 });
packed[9] = 255; // the system that has packed it: unknown
writeFileSync(process.argv[2], packed);

// What concerns those who work on the package is left out.
function manifest() {
  const { scripts, devDependencies, ...rest } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  return Buffer.from(JSON.stringify(rest, null, 2) + '\n');
}

// One file in the ustar format.
function entry(name, content) {
  const header = Buffer.alloc(BLOCK);
  const text = (at, value) => header.write(value, at, 'latin1');
  const octal = (at, digits, value) => text(at, value.toString(8).padStart(digits, '0'));
  if (name.length > 100) throw new Error(`${name} is too long for ustar`);
  text(0, name);
  octal(100, 7, 0o644);
  octal(108, 7, 0); // user
  octal(116, 7, 0); // group
  octal(124, 11, content.length);
  octal(136, 11, EPOCH);
  text(148, ' '.repeat(8)); // the sum counts itself as blanks
  text(156, '0'); // a plain file
  text(257, 'ustar\0' + '00');
  octal(148, 6, header.reduce((sum, byte) => sum + byte, 0));
  text(154, '\0 ');
  return [header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
}
