import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { assertions, compile, missingNames, readSurface } from '../scripts/zim-surface.mjs';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/zim-types/${name}.ts`, import.meta.url));
const generated = fileURLToPath(new URL('./.generated/fixture.ts', import.meta.url));

function check(ours: string): string[] {
  const { text } = assertions(readSurface(fixture('reference')), readSurface(fixture(ours)), '../fixtures/zim-types/reference.js', `../fixtures/zim-types/${ours}.js`);
  mkdirSync(new URL('./.generated', import.meta.url), { recursive: true });
  writeFileSync(generated, text);
  return compile(generated);
}

// The compiler takes seconds on a busy machine.
describe('the type check against the reference', { timeout: 60_000 }, () => {
  it('has nothing to say about a surface compared with itself', () => {
    expect(check('reference')).toEqual([]);
  });

  it('finds a fault in each kind of name', () => {
    const complaints = check('faulty').join('\n');
    for (const found of ['ZIMColor.Green', 'keyof Ref.ZIMBox', 'Ref.ZIMOpened', "ZIMEventHandler['opened']", "['create']", "['open']", "Overloads<Ref.ZIM['shut']>"]) {
      expect(complaints).toContain(found);
    }
    expect(complaints).not.toContain("['closed']");
  });

  it('knows which names are missing', () => {
    const reference = readSurface(fixture('reference'));
    expect(missingNames(reference, readSurface(fixture('faulty')))).toEqual(['closed is missing (events)']);
    expect(missingNames(reference, reference)).toEqual([]);
  });
});
