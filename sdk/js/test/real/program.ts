import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';

/** The built program, named by PARLEY_BIN; without it the tests with the real server are skipped. */
export const bin: string | undefined = process.env['PARLEY_BIN'];

/** What a user of `parley dev` logs in with. */
export interface Ticket {
  readonly appID: number;
  readonly token: string;
}

/** One node as a process, `parley dev` on a port and a data folder of its own. */
export class Program {
  url = '';
  private readonly data: string = mkdtempSync(join(tmpdir(), 'parley-sdk-'));
  private child: ChildProcess | undefined;

  /** `flags` come after those for the address and the data. */
  constructor(private readonly flags: readonly string[] = []) {}

  /** Starts it, after a kill again at the same address, and waits until it serves. */
  async start(): Promise<this> {
    this.url ||= `http://127.0.0.1:${await freePort()}`;
    this.child = spawn(bin as string, ['dev', '--addr', new URL(this.url).host, '--data', this.data, ...this.flags], { stdio: 'ignore' });
    await vi.waitUntil(() => fetch(`${this.url}/readyz`).then((r) => r.ok, () => false), { timeout: 60_000, interval: 50 });
    return this;
  }

  /** Ends it at once. */
  kill(): Promise<void> {
    return this.signal('SIGKILL');
  }

  /** Asks it to stop, and waits until it has. */
  stop(): Promise<void> {
    return this.signal('SIGTERM');
  }

  /** Ends it and deletes its data. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** A ticket for a user; waits while the node is busy. */
  async ticket(userID: string, ttlSeconds?: number): Promise<Ticket> {
    const body = JSON.stringify({ userID, ...(ttlSeconds && { ttlSeconds }) });
    const ask = (): Promise<Response> => fetch(`${this.url}/dev/token`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    let answer = await ask();
    await vi.waitUntil(async () => answer.status !== 503 || ((answer = await ask()), false), { timeout: 20_000, interval: 100 });
    if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Ticket;
  }

  private async signal(name: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(name);
    await gone;
  }
}

/** Several nodes that serve together. */
export class Cluster {
  private constructor(
    readonly nodes: readonly Program[],
    private readonly secrets: string,
  ) {}

  /** Starts the nodes and waits until each of them serves. */
  static async start(size: number): Promise<Cluster> {
    const secrets = mkdtempSync(join(tmpdir(), 'parley-sdk-secrets-'));
    const gossip = await Promise.all(Array.from({ length: size }, async () => `127.0.0.1:${await freePort()}`));
    const nodes = gossip.map((own) => {
      const joins = gossip.filter((other) => other !== own).flatMap((other) => ['--join', other]);
      return new Program(['--secrets', secrets, '--gossip-addr', own, '--expect', String(size), ...joins]);
    });
    const cluster = new Cluster(nodes, secrets);
    try {
      await Promise.all(nodes.map((node) => node.start()));
    } catch (error) {
      await cluster.remove();
      throw error;
    }
    return cluster;
  }

  /** Where the nodes listen. */
  get urls(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  /** Ends all nodes and deletes their data. */
  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
    rmSync(this.secrets, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
