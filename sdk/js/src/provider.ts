import { Backoff } from './backoff.js';
import { asChatError, ChatError, Code } from './errors.js';
import { Timer } from './timer.js';

/**
 * Gives a fresh token, at once or later. An error whose `code` is 6000101 says
 * that there will be none any more, because the user is signed out: it ends the
 * login. Every other failure, and no answer within 10 s, is tried again.
 */
export type GetToken = () => string | Promise<string>;

/** What a token provider reports. */
export interface ProviderPort {
  /** A fresh token; a rejection means that it was not taken, and another one is fetched. */
  fetched(token: string): Promise<void>;
  /** The app will give no token any more. */
  refused(error: ChatError): void;
}

/**
 * Asks the app for a token until a server takes the one that it gives. The
 * waits grow with every token that was fetched since the last one was taken.
 */
export class TokenProvider {
  private asking = false;
  private ended = false;
  private fetches = 0;
  private readonly retry = new Timer();
  private readonly limit = new Timer();
  private readonly backoff: Backoff;

  constructor(
    private readonly getToken: GetToken,
    private readonly port: ProviderPort,
    random: () => number,
  ) {
    this.backoff = new Backoff({ first: FIRST_RETRY_MS, cap: RETRY_CAP_MS }, random);
  }

  /** Fetches a token, unless one is being fetched. */
  ask(): void {
    if (this.asking || this.ended) return;
    this.asking = true;
    if (this.fetches === 0) void this.fetch();
    else this.wait();
  }

  /** Does not wait any longer before the next try. */
  hurry(): void {
    if (this.retry.running) void this.fetch();
  }

  /** A server has taken the token: the next one is fetched without a wait. */
  accepted(): void {
    this.fetches = 0;
    this.backoff.reset();
  }

  /** The login is over. */
  stop(): void {
    this.ended = true;
    this.retry.stop();
    this.limit.stop();
  }

  private async fetch(): Promise<void> {
    this.retry.stop();
    this.fetches++;
    let token: string;
    try {
      token = await this.given();
    } catch (reason) {
      if (this.ended) return;
      if (isRefusal(reason)) return this.port.refused(new ChatError(Code.LoginRefused, asChatError(reason).message));
      return this.wait();
    }
    if (this.ended) return;
    this.port.fetched(token).then(
      () => (this.asking = false),
      () => !this.ended && this.wait(),
    );
  }

  // The app's code may throw, hang, or give something else than a token.
  private given(): Promise<string> {
    const late = new Promise<never>((_, reject) => {
      this.limit.start(FETCH_MS, () => reject(new ChatError(Code.Timeout, 'No token was given in time.')));
    });
    const token = Promise.resolve()
      .then(this.getToken)
      .then((given) => {
        if (typeof given === 'string' && given !== '') return given;
        throw new ChatError(Code.InvalidParam, 'getToken has to give a token.');
      });
    return Promise.race([token, late]).finally(() => this.limit.stop());
  }

  private wait(): void {
    this.retry.start(LEAST_WAIT_MS + this.backoff.next(), () => void this.fetch());
  }
}

// Not by instanceof: the app may throw an error of its own, with this code.
function isRefusal(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && (reason as { code?: unknown }).code === Code.LoginRefused;
}

const FETCH_MS = 10_000;
const LEAST_WAIT_MS = 250;
const FIRST_RETRY_MS = 1_000;
const RETRY_CAP_MS = 30_000;
