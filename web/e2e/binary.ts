import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { repository } from './paths';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The path of the freshly built `parley`. */
    binary: string;
  }
}

/** Builds the binary once for the whole run; PARLEY_BIN names one that is there, for instance with the race detector. */
export default async function buildBinary(project: TestProject): Promise<(() => Promise<void>) | void> {
  const given = process.env['PARLEY_BIN'];
  if (given) return project.provide('binary', given);
  const folder = await mkdtemp(join(tmpdir(), 'parley-e2e-'));
  const binary = join(folder, 'parley');
  await promisify(execFile)('go', ['build', '-o', binary, './cmd/parley'], { cwd: repository, timeout: 300_000 });
  project.provide('binary', binary);
  return () => rm(folder, { recursive: true, force: true });
}
