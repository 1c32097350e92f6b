import { asChatError, ChatError, Code } from './errors.js';
import type { AskKind, Reply, Requests } from './frames.js';

/** What is asked: links that come and go. */
export interface Asker {
  whenConnected(timeoutMs: number): Promise<void>;
  pause(ms: number): Promise<void>;
  ask<K extends AskKind>(kind: K, value: Requests[K], timeoutMs: number, requestID: string): Promise<Reply<K>>;
}

/**
 * Asks something that may be asked twice without harm, because it is a read, or
 * a write whose id the server remembers, until it is answered:
 * over reconnects and past errors that may pass, as long as its time lasts and
 * the login does. Between two tries it always gives the event loop back.
 */
export async function askUntilAnswered<K extends AskKind>(
  connection: Asker,
  kind: K,
  value: Requests[K],
  timeoutMs: number,
  requestID: string,
): Promise<Reply<K>> {
  const deadline = performance.now() + timeoutMs;
  const left = (): number => deadline - performance.now();
  for (let tries = 0; ; tries++) {
    await connection.whenConnected(Math.max(0, left()));
    try {
      return await connection.ask(kind, value, Math.max(1, left()), requestID);
    } catch (reason) {
      const error = asChatError(reason);
      const wait = Math.max(error.retryAfterMs, Math.min(2000, 200 * 2 ** tries));
      if (!error.retryable || left() <= wait) throw withoutRetry(error);
      await connection.pause(error.code === Code.Network ? 0 : wait);
    }
  }
}

// The retries are done: whoever gets the error need not try again at once.
function withoutRetry(error: ChatError): ChatError {
  return new ChatError(error.code, error.message);
}
