import { ChatError, connectionLost, ParleyErrorCode } from './errors.js';

/** A request's content: the same object on every attempt. */
export type Content = object;

/**
 * Finds the request that the two sides cannot exchange. A server that gets a
 * frame which it cannot take closes the link with a protocol code and does not
 * say which frame it was. All requests that were in flight are suspects: they
 * are asked again, one at a time. The one that was in flight alone when it
 * happened, twice, is the culprit and is refused, so that it cannot end one
 * link after the other.
 */
export class Suspects {
  private readonly strikes = new WeakMap<Content, number>();

  /** Whether the next link has to ask one at a time, to tell its requests apart. */
  cautious = false;

  /** A link has ended; gives what to tell each of the requests that were in flight. */
  linkEnded(code: number, inFlight: readonly Content[]): (request: Content) => ChatError {
    this.cautious = isProtocolClose(code) && inFlight.length > 0;
    const [only] = inFlight;
    if (!this.cautious || !only || inFlight.length > 1) return connectionLost;
    const strikes = (this.strikes.get(only) ?? 0) + 1;
    this.strikes.set(only, strikes);
    return (request) => (request === only && strikes >= MAX_STRIKES ? frameRefused() : connectionLost());
  }
}

/** Whether a link ended because one side could not take a frame of the other. */
export function isProtocolClose(code: number): boolean {
  return PROTOCOL_CLOSES.has(code);
}

/** The end of a request whose frames cannot be exchanged. */
export function frameRefused(): ChatError {
  return new ChatError(ParleyErrorCode.MalformedFrame, 'The server does not take a frame of this size or form.');
}

const PROTOCOL_CLOSES = new Set([1002, 1003, 1007, 1009, 4400]);
const MAX_STRIKES = 2;
