import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inject } from 'vitest';

const startMilliseconds = 20_000;
const spreadMilliseconds = 50_000;

/** A `parley dev` of its own: a free port of loopback and an empty data folder, both kept over restarts. */
export class Server {
  private secrets: string;
  /** What is removed with it. */
  private readonly folders: string[];
  private child: ChildProcess | undefined;
  private log = '';

  private constructor(
    readonly port: number,
    private readonly adminPort: number,
    private readonly data: string,
    private readonly flags: readonly string[],
  ) {
    this.folders = [data];
    this.secrets = data;
  }

  /** Starts one; flags are added to its command. */
  static async start(flags: readonly string[] = []): Promise<Server> {
    const server = new Server(await freePort(), await freePort(), await mkdtemp(join(tmpdir(), 'parley-e2e-data-')), flags);
    await server.restart();
    return server;
  }

  /** Starts nodes that are one cluster, with replicas on each of them; close them all. */
  static async cluster(size: number): Promise<Server[]> {
    const secrets = await mkdtemp(join(tmpdir(), 'parley-e2e-secrets-'));
    const gossip = await Promise.all(Array.from({ length: size }, async () => `127.0.0.1:${await freePort()}`));
    const nodes = await Promise.all(
      gossip.map((own) => {
        const seeds = gossip.filter((other) => other !== own).flatMap((other) => ['--join', other]);
        return Server.start(['--secrets', secrets, '--gossip-addr', own, '--expect', String(size), ...seeds]);
      }),
    );
    const token = await readFile(join(secrets, 'admin-token'), 'utf8');
    const end = Date.now() + spreadMilliseconds;
    while (!(await nodes[0]?.spread(token, size))) {
      if (Date.now() > end) throw new Error('the replicas were not spread in time');
      await delay(200);
    }
    nodes[0]?.folders.push(secrets);
    for (const node of nodes) node.secrets = secrets;
    return nodes;
  }

  /** What operators show. */
  adminToken(): Promise<string> {
    return readFile(join(this.secrets, 'admin-token'), 'utf8');
  }

  private async spread(token: string, voters: number): Promise<boolean> {
    const answer = await fetch(`${this.adminOrigin}/api/cluster`, { headers: { Authorization: `Bearer ${token}` } });
    const { shards, moves } = (await answer.json()) as { shards: { voters: string[] }[]; moves: unknown[] };
    return moves.length === 0 && shards.every((shard) => shard.voters.length === voters);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Where operators look. */
  get adminOrigin(): string {
    return `http://127.0.0.1:${this.adminPort}`;
  }

  /** Starts the process and waits until it says that clients may connect. */
  async restart(): Promise<void> {
    const addresses = ['--addr', `127.0.0.1:${this.port}`, '--admin-addr', `127.0.0.1:${this.adminPort}`];
    const child = spawn(inject('binary'), ['dev', ...addresses, '--data', this.data, ...this.flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    const end = Date.now() + startMilliseconds;
    while (!(await this.ready())) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`parley dev did not become ready:\n${this.log}`);
      await delay(50);
    }
  }

  /** kill -9, by its process id. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Ends the process and removes its data. */
  async close(): Promise<void> {
    await this.end('SIGKILL');
    for (const folder of this.folders) await rm(folder, { recursive: true, force: true });
  }

  /** A token of a demo user, as the page gets it; the user exists from then on. */
  async token(userID: string, ttlSeconds = 86_400): Promise<{ appID: number; token: string }> {
    const response = await fetch(`${this.origin}/dev/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ userID, ttlSeconds }),
    });
    if (!response.ok) throw new Error(`POST /dev/token: ${response.status} ${await response.text()}`);
    return (await response.json()) as { appID: number; token: string };
  }

  private async ready(): Promise<boolean> {
    const answer = await fetch(`${this.origin}/readyz`).catch(() => undefined);
    return answer?.status === 200;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
