// Prints the sizes of the built files.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

for (const name of ['core.js', 'zim.js', 'zim.iife.js']) {
  const data = readFileSync(new URL(`../dist/${name}`, import.meta.url));
  const zipped = gzipSync(data, { level: 9 });
  console.log(`${name.padEnd(12)} ${kilobytes(data)} kB, ${kilobytes(zipped)} kB gzipped`);
}

function kilobytes(data) {
  return (data.length / 1000).toFixed(1);
}
