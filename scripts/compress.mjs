// Stores what brotli and gzip make of the text files in the given folders
// beside them, so that the server compresses nothing while it serves. With
// --check it only fails when one of those files does not expand to its
// original: the bytes themselves may differ between processors.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';

const brotli = (text) =>
  brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } });
const codings = [
  { suffix: '.br', compress: brotli, expand: brotliDecompressSync },
  { suffix: '.gz', compress: (text) => gzipSync(text, { level: 9 }), expand: gunzipSync },
];
const texts = /\.(js|css|html|svg)$/;

const check = process.argv[2] === '--check';
for (const folder of process.argv.slice(check ? 3 : 2)) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !texts.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file);
    for (const { suffix, compress, expand } of codings) {
      if (!check) writeFileSync(file + suffix, compress(text));
      else if (!expand(readFileSync(file + suffix)).equals(text)) throw new Error(`stale: ${file}${suffix}`);
    }
  }
}
