import type { DemoUser, DevServer } from './store/environment';
import { networkFailure } from './store/failure';

/** A server that does not answer must not keep the sign-in page from being shown. */
const patienceMilliseconds = 5_000;

/** Asks the page's own server for what `parley dev` hands out. The addresses are relative: the page may live under a path. */
export const devServer: DevServer = {
  async users() {
    const response = await fetch('dev/users', { signal: AbortSignal.timeout(patienceMilliseconds) }).catch(refuse);
    if (response.status === 404 || !isJSON(response)) return undefined;
    if (!response.ok) throw { code: networkFailure };
    const { users } = (await response.json()) as { users: DemoUser[] };
    return users;
  },

  async token(userID) {
    const body = JSON.stringify({ userID });
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch('dev/token', { method: 'POST', headers, body, signal: AbortSignal.timeout(patienceMilliseconds) }).catch(refuse);
    const answer = (await response.json().catch(refuse)) as { appID: number; token: string; code?: number };
    if (!response.ok) throw { code: answer.code ?? networkFailure };
    return { appID: answer.appID, token: answer.token };
  },
};

/** A server outside of `parley dev` may answer unknown paths with the page itself. */
function isJSON(response: Response): boolean {
  return response.headers.get('Content-Type')?.includes('json') ?? false;
}

function refuse(): never {
  throw { code: networkFailure };
}
