import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let out: string;

beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), 'parley-chat-'));
  const tsdown = join(dirname(createRequire(import.meta.url).resolve('tsdown')), 'run.mjs');
  execFileSync(process.execPath, [tsdown, '--out-dir', out], { cwd: root, stdio: 'pipe' });
}, 120_000);

afterAll(() => rmSync(out, { recursive: true, force: true }));

const read = (name: string): string => readFileSync(join(out, name), 'utf8');

const withoutComments = (code: string): string => code.replace(/\/\*[\s\S]*?\*\//g, '');

interface Exports {
  default: { create(id: number): object | null };
  ZIM: unknown;
  ZIMMessageType: Record<string, unknown>;
}

interface Rolldown {
  rolldown(options: object): Promise<{ generate(options: object): Promise<{ output: { code: string }[] }> }>;
}

describe('the built files', () => {
  it('zim.js stands alone, with ZIM by name and as default, and the enums', async () => {
    expect(read('zim.js')).not.toMatch(/\bimport\s*["'{*]|\bfrom\s*["']/);
    const module = (await import(/* @vite-ignore */ pathToFileURL(join(out, 'zim.js')).href)) as Exports;
    expect(module.default).toBe(module.ZIM);
    expect(module.default.create(1)).not.toBeNull();
    expect(module.ZIMMessageType).toMatchObject({ Text: 1, 1: 'Text' });
  });

  it('zim.cjs has the same exports, for require', async () => {
    const required = createRequire(import.meta.url)(join(out, 'zim.cjs')) as Exports;
    expect(Object.keys(required).sort()).toEqual(Object.keys(await import(/* @vite-ignore */ pathToFileURL(join(out, 'zim.js')).href)).sort());
    expect(required.default).toBe(required.ZIM);
  });

  it('every module has a source map, with the sources, and no path of this machine', () => {
    for (const name of ['zim.js', 'zim.cjs', 'core.js', 'core.cjs']) {
      const { sources, sourcesContent } = JSON.parse(read(`${name}.map`)) as { sources: string[]; sourcesContent: string[] };
      expect(sources.length).toBeGreaterThan(20);
      expect(sourcesContent).toHaveLength(sources.length);
      expect(sources.filter((source) => source.startsWith('/'))).toEqual([]);
    }
  });

  it('zim.js is small', () => {
    expect(gzipSync(read('zim.js'), { level: 9 }).length).toBeLessThan(34_000);
  });

  it('zim.iife.js makes ZIM and the enums globals, and nothing else', () => {
    const scope: Record<string, unknown> = { TextEncoder, TextDecoder, crypto };
    const before = new Set(Object.keys(scope));
    runInNewContext(read('zim.iife.js'), scope);
    const made = Object.keys(scope).filter((key) => !before.has(key));
    expect(made.filter((key) => !/^ZIM|^ParleyErrorCode$/.test(key))).toEqual([]);
    expect(made).toHaveLength(1 + 58 + 2);
    expect(scope['ZIMConversationType']).toMatchObject({ Peer: 0, 0: 'Peer' });
    const ZIM = scope['ZIM'] as Exports['default'];
    expect(typeof ZIM).toBe('function');
    expect(ZIM.create(1)).not.toBeNull();
  });

  it('the declarations stand alone', () => {
    expect(read('zim.d.ts')).not.toMatch(/from ["'][^"']/);
    for (const name of ['zim.d.ts', 'zim.d.cts', 'core.d.ts', 'core.d.cts']) expect(withoutComments(read(name))).not.toMatch(/\bany\b/);
  });
});

it('a bundler keeps an import of the script for its effect', async () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: Record<string, unknown>; sideEffects: string[] };
  expect(manifest.sideEffects).toContain(manifest.exports['./zim.iife.js']);
  const resolve = createRequire(createRequire(import.meta.url).resolve('tsdown')).resolve;
  const { rolldown } = (await import(/* @vite-ignore */ pathToFileURL(resolve('rolldown')).href)) as Rolldown;
  const entry = join(out, 'app.js');
  mkdirSync(join(out, 'node_modules', 'parley-chat', 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(out, 'node_modules', 'parley-chat', 'package.json'));
  cpSync(join(out, 'zim.iife.js'), join(out, 'node_modules', 'parley-chat', 'dist', 'zim.iife.js'));
  writeFileSync(entry, "import 'parley-chat/zim.iife.js';\n");
  const bundle = await rolldown({ input: entry, cwd: out });
  const { output } = await bundle.generate({ format: 'esm' });
  expect(output[0]?.code.length).toBeGreaterThan(read('zim.iife.js').length / 2);
});
