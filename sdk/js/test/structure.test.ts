import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

// The rules of the house for TypeScript: no import circle, types included, only
// downwards between layers, files and functions that can be read at a sitting.

const MAX_FILE = 500;
const MAX_FUNCTION = 70;

/** A tree of sources: its layers from the bottom up, by path; what is not named belongs to the one marked *. */
interface Tree {
  readonly root: string;
  readonly layers: readonly (readonly string[])[];
  /** Files that a program made. */
  readonly generated: string;
}

// The folders of zim/ that know nothing of each other.
const CAPABILITIES = ['session', 'user', 'conversation', 'message', 'room', 'group', 'call', 'friend'];

const here = dirname(fileURLToPath(import.meta.url));

const trees: Record<string, Tree> = {
  'sdk/js/src': {
    root: resolve(here, '../src'),
    generated: 'gen/',
    layers: [
      ['gen/'],
      ['*'], // the wire, the connection, and what is below them
      ['session', 'conversations', 'inbox', 'outbox', 'catchup', 'repair', 'tracked', 'lookup', 'events', 'slice', 'slices', 'users'],
      ['client'],
      ['index'],
      ['zim/enums/', 'zim/error-code'],
      ['zim/types/'],
      CAPABILITIES.map((name) => `zim/${name}/surface`),
      ['zim/surface'],
      ['zim/row', 'zim/check', 'zim/convert'],
      CAPABILITIES.map((name) => `zim/${name}/`),
      ['zim/capabilities', 'zim/console', 'zim/install', 'zim/relay'],
      ['zim/zim'],
      ['zim/index', 'zim/global'],
    ],
  },
  'web/src': {
    root: resolve(here, '../../../web/src'),
    generated: 'none/',
    layers: [['text/'], ['i18n/'], ['*'], ['store/'], ['address', 'devserver'], ['timeline/'], ['view/', 'cluster/'], ['main']],
  },
};

interface Source {
  readonly path: string;
  readonly imports: readonly string[];
  readonly lines: number;
  readonly longest: { readonly name: string; readonly lines: number };
}

function read(tree: Tree): Source[] {
  const names = readdirSync(tree.root, { recursive: true }).map(String).filter((name) => /\.tsx?$/.test(name));
  return names.sort().map((name) => {
    const text = readFileSync(join(tree.root, name), 'utf8');
    const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
    const imports = importsOf(file).map((target) => relative(tree.root, resolve(tree.root, dirname(name), target)));
    return { path: plain(name), imports: imports.map(plain), lines: text.trimEnd().split('\n').length, longest: longestFunction(file) };
  });
}

function plain(name: string): string {
  return name.replace(/\.(js|tsx?)$/, '');
}

function importsOf(file: ts.SourceFile): string[] {
  return file.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const target = statement.moduleSpecifier;
    return target && ts.isStringLiteral(target) && /^\..*(?<!\.css)$/.test(target.text) ? [target.text] : [];
  });
}

function longestFunction(file: ts.SourceFile): Source['longest'] {
  let longest = { name: 'none', lines: 0 };
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const line = (at: number): number => file.getLineAndCharacterOfPosition(at).line;
      const lines = line(node.end) - line(node.getStart()) + 1;
      const name = node.name?.getText() ?? `the function in line ${line(node.getStart()) + 1}`;
      if (lines > longest.lines) longest = { name, lines };
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return longest;
}

function layerOf({ layers }: Tree, path: string): number {
  const named = (prefix: string): boolean => (prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix);
  const found = layers.findIndex((layer) => layer.some(named));
  return found >= 0 ? found : layers.findIndex((layer) => layer.includes('*'));
}

/** One circle of imports; undefined when there is none. */
function circle(sources: readonly Source[]): string | undefined {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): string | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path].join(' -> ');
    if (done.has(path)) return undefined;
    for (const next of targets(byPath.get(path), byPath)) {
      const found = visit(next, [...way, path]);
      if (found) return found;
    }
    done.add(path);
    return undefined;
  };
  for (const { path } of sources) {
    const found = visit(path, []);
    if (found) return found;
  }
  return undefined;
}

// A folder stands for its index.
function targets(source: Source | undefined, byPath: ReadonlyMap<string, Source>): string[] {
  return (source?.imports ?? []).map((path) => (byPath.has(path) ? path : `${path}/index`));
}

it('a capability imports no other one', () => {
  const capabilityOf = (path: string): string | undefined => CAPABILITIES.find((name) => path.startsWith(`zim/${name}/`));
  const sources = read(trees['sdk/js/src'] as Tree).filter(({ path }) => capabilityOf(path));
  expect(sources.length).toBeGreaterThan(CAPABILITIES.length);
  const across = sources.flatMap(({ path, imports }) =>
    imports.filter((target) => capabilityOf(`${target}/`) && capabilityOf(`${target}/`) !== capabilityOf(path)).map((target) => `${path} -> ${target}`),
  );
  expect(across).toEqual([]);
});

describe.each(Object.entries(trees))('%s', (_name, tree) => {
  const sources = read(tree);
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const written = sources.filter(({ path }) => !path.startsWith(tree.generated));

  it('imports only what is there, in no circle', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.flatMap((source) => targets(source, byPath)).filter((path) => !byPath.has(path))).toEqual([]);
    expect(circle(sources)).toBeUndefined();
  });

  it('imports from its own layer and below', () => {
    const upwards = sources.flatMap((source) =>
      targets(source, byPath)
        .filter((target) => layerOf(tree, target) > layerOf(tree, source.path))
        .map((target) => `${source.path} -> ${target}`),
    );
    expect(upwards).toEqual([]);
  });

  it(`has files of at most ${MAX_FILE} lines and functions of at most ${MAX_FUNCTION}`, () => {
    expect(written.filter(({ lines }) => lines > MAX_FILE).map(({ path, lines }) => `${path} has ${lines} lines`)).toEqual([]);
    const long = written.filter(({ longest }) => longest.lines > MAX_FUNCTION);
    expect(long.map(({ path, longest }) => `${path}: ${longest.name} has ${longest.lines} lines`)).toEqual([]);
  });
});

it('finds a circle', () => {
  const source = (path: string, ...imports: string[]): Source => ({ path, imports, lines: 1, longest: { name: '', lines: 0 } });
  expect(circle([source('a', 'b'), source('b', 'c', 'd'), source('c', 'a'), source('d')])).toBe('a -> b -> c -> a');
  expect(circle([source('a', 'b', 'c'), source('b', 'c'), source('c')])).toBeUndefined();
});
