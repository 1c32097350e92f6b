import type { Login } from '../../connection.js';
import { invalidParam } from '../check.js';
import { checkTokenForm } from './token.js';
import type { ZIMLoginConfig, ZIMUserInfo } from '../types/index.js';

/**
 * The login that is meant by either form of `login`. Only the form of the
 * token is judged here; the rules of user IDs are the server's.
 */
export function loginOf(appID: number, user: ZIMUserInfo | string, secret: string | ZIMLoginConfig): Login {
  const { token, userName } = partsOf(user, secret);
  checkTokenForm(token);
  const userID: unknown = typeof user === 'string' ? user : user?.userID;
  if (typeof userID !== 'string') throw invalidParam('The user ID must be a text.');
  const avatarUrl = typeof user === 'object' && typeof user.userAvatarUrl === 'string' ? user.userAvatarUrl : '';
  return { appID, userID, token, userName: typeof userName === 'string' ? userName : '', avatarUrl };
}

function partsOf(user: ZIMUserInfo | string, secret: string | ZIMLoginConfig): { token: unknown; userName: unknown } {
  if (typeof secret === 'object' && secret !== null) {
    return { token: secret.token, userName: secret.userName };
  }
  return { token: secret, userName: typeof user === 'object' && user !== null ? user.userName : '' };
}
