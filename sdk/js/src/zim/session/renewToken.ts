import type { Method } from '../row.js';
import { checkTokenForm } from './token.js';

/** Replaces the token. */
export const renewToken: Method<'renewToken'> = async (client, token) => {
  checkTokenForm(token);
  await client.renewToken(token);
  return { token };
};
