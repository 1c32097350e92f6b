import { describe, expect, test } from 'vitest';
import { home, parseRoute, toHash } from '../src/route';

describe('routes', () => {
  test.each(['bob', 'a#b?c', '%', '[x]{y}|~', '李雷'])('%s survives the address', (conversation) => {
    for (const details of [false, true]) {
      expect(parseRoute(toHash({ conversation, details }))).toEqual({ conversation, details });
    }
  });

  test.each(['', '#', '#/', '#/c/', '#/c/%E0%A4%A', '#/x/bob', '#/c/bob/other'])('%j is the list', (hash) => {
    expect(parseRoute(hash)).toEqual(home);
  });
});
