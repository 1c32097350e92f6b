import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, Program } from './real/program.js';

const run = promisify(execFile);
const { resolve } = createRequire(import.meta.url);

// What an app of zego-zim-web does, in either module system.
const BODY = `
  const zim = ZIM.create(Number(process.env.APP_ID));
  await zim.login({ userID: process.env.USER_ID, userName: '' }, process.env.TOKEN);
  const text = { type: ZIMMessageType.Text, message: 'hello from ' + process.env.USER_ID };
  const { message } = await zim.sendMessage(text, process.env.PEER_ID, ZIMConversationType.Peer, { priority: 1 });
  let messageList = [];
  while (messageList.length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    ({ messageList } = await zim.queryHistoryMessage(process.env.PEER_ID, ZIMConversationType.Peer, { count: 10, reverse: true }));
  }
  const other = messageList.find(({ senderUserID }) => senderUserID === process.env.PEER_ID);
  console.log(JSON.stringify({ sent: message.messageID !== '', received: other.message }));
  process.exit(0);
`;
const NAMES = '{ ZIM, ZIMConversationType, ZIMMessageType }';

const FILES = {
  'package.json': '{ "name": "app", "version": "1.0.0", "private": true }',
  'app.mjs': `import ${NAMES} from 'zego-zim-web';\n${BODY}`,
  'app.cjs': `const ${NAMES} = require('zego-zim-web');\n(async () => {${BODY}})();\n`,
  // Node 20 has no WebSocket of its own, and no page says where it came from.
  'place.mjs': `import ws from ${JSON.stringify(pathToFileURL(resolve('ws')).href)};
globalThis.WebSocket = ws.WebSocket;
globalThis.PARLEY_SERVER = process.env.SERVER;
`,
  ...Object.fromEntries(
    ['mts', 'cts'].map((ending) => [
      `types.${ending}`,
      `import ZIMDefault, { ZIM, ZIMConversationType } from 'zego-zim-web';
import type { ZIMGroupFullInfo, ZIMMessage } from 'zego-zim-web';
import { ChatClient } from 'zego-zim-web/core';
export const zim: ZIM | null = ZIM.create({ appID: 1 });
export const same: typeof ZIM = ZIMDefault;
export const group = async (id: string): Promise<ZIMGroupFullInfo> => (await zim!.queryGroupInfo(id)).groupInfo;
export const send = (message: ZIMMessage): unknown => zim!.sendMessage(message, 'bob', ZIMConversationType.Peer, { priority: 1 });
zim!.on('groupNameUpdated', (_zim, { groupName }) => groupName.trim());
export const client: ChatClient = new ChatClient({ server: 'http://localhost' });
// @ts-expect-error: the types are there, not any.
export const wrong: number = group('g');
`,
    ]),
  ),
};

describe.skipIf(!bin)('an app of zego-zim-web with the package of the server', { timeout: 120_000 }, () => {
  const server = new Program();
  const folder = mkdtempSync(join(tmpdir(), 'parley-app-'));

  beforeAll(async () => {
    await server.start();
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
    // No registry answers: the server's file is all that is needed.
    const quiet = ['--no-audit', '--no-fund', '--registry', 'http://127.0.0.1:1/', '--cache', join(folder, 'cache')];
    await run('npm', ['install', `zego-zim-web@${server.url}/sdk/parley-chat.tgz`, ...quiet], { cwd: folder });
  }, 120_000);

  afterAll(async () => {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(file: string, userID: string, peerID: string): Promise<unknown> {
    const { appID, token } = await server.ticket(userID);
    const env = { ...process.env, SERVER: server.url, APP_ID: String(appID), USER_ID: userID, PEER_ID: peerID, TOKEN: token };
    const { stdout } = await run(process.execPath, ['--import', './place.mjs', file], { cwd: folder, env, timeout: 60_000 });
    return JSON.parse(stdout);
  }

  it('is installed under the name of the other package', () => {
    const manifest = JSON.parse(readFileSync(join(folder, 'node_modules', 'zego-zim-web', 'package.json'), 'utf8')) as { name: string };
    expect(manifest.name).toBe('parley-chat');
    expect(existsSync(join(folder, 'node_modules', 'zego-zim-web', 'dist', 'zim.js.map'))).toBe(true);
  });

  it('runs as an ES module and as CommonJS', async () => {
    const both = [start('app.mjs', 'mia', 'carl'), start('app.cjs', 'carl', 'mia')];
    expect(await Promise.all(both)).toEqual([
      { sent: true, received: 'hello from carl' },
      { sent: true, received: 'hello from mia' },
    ]);
  });

  it('compiles in both module systems', async () => {
    const tsc = resolve('typescript/lib/tsc.js');
    const flags = ['--noEmit', '--strict', '--esModuleInterop', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom'];
    const found = run(process.execPath, [tsc, ...flags, 'types.mts', 'types.cts'], { cwd: folder }).catch((error: { stdout: string }) => error);
    expect((await found).stdout).toBe('');
  });
});
