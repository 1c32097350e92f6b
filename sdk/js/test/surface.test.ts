import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as entry from '../src/zim/index.js';
import { VERSION } from '../src/version.js';

const reference = readFileSync(new URL(import.meta.resolve('zego-zim-web/entity/ZIMDefines.d.ts')), 'utf8');

/** The enums of the reference that exist in declarations only. */
const DECLARED_ONLY = ['ZIMErrorCode', 'ZIMMediaFileType', 'ZIMMessageQueryMode'];

const INTERNAL = ['start', 'newClient', 'emit', 'needAlive', 'needLogin'];

const names = [...reference.matchAll(/declare enum (\w+)/g)].map((match) => match[1] as string);

describe('the exports of the zim entry', () => {
  it('has ZIM by name and as default', () => {
    expect(entry.default).toBe(entry.ZIM);
    expect(entry.ZIM.getVersion()).toBe(VERSION);
  });

  it('has all 56 run-time enums', () => {
    expect(names.filter((name) => !DECLARED_ONLY.includes(name))).toHaveLength(56);
  });

  it.each(names)('%s is an object both ways', (name) => {
    const value = (entry as unknown as Record<string, Record<string, string | number>>)[name] ?? {};
    const keys = Object.keys(value).filter((key) => typeof value[key] === 'number');
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(value[value[key] as number]).toBe(key);
  });
});

// All that hangs on the class and on an instance, in code and not only in types.
describe('the class', () => {
  const declared = readFileSync(new URL(import.meta.resolve('zego-zim-web/entity/ZIM.d.ts')), 'utf8');
  const methods = [...declared.matchAll(/^ +(abstract|static) (\w+)[<(]/gm)].map(([, kind, name]) => ({ kind, name: name as string }));

  it('has the 145 methods', () => {
    expect(new Set(methods.map(({ name }) => name)).size).toBe(145);
    const { ZIM } = entry;
    const on = (kind: string | undefined): object => (kind === 'static' ? ZIM : ZIM.prototype);
    expect(methods.filter(({ kind, name }) => typeof Reflect.get(on(kind), name) !== 'function')).toEqual([]);
  });

  it('has no others but the older names', () => {
    const names = new Set(methods.map(({ name }) => name));
    const others = Object.getOwnPropertyNames(entry.ZIM.prototype).filter((name) => !names.has(name));
    expect(others.sort()).toEqual(['constructor', ...INTERNAL, 'sendGroupMessage', 'sendMediaMessage', 'sendPeerMessage', 'sendRoomMessage'].sort());
  });
});

it('the version is that of package.json', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(VERSION).toBe(manifest.version);
});
