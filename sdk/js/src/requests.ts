import type { AskKind, Reply, Requests, ServerBody } from './frames.js';
import { replyKinds } from './frames.js';
import { ChatError, Code } from './errors.js';

interface Waiting {
  readonly kind: AskKind;
  readonly resolve: (value: never) => void;
  readonly reject: (error: ChatError) => void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The id of the hello frame; requests take the ids above. */
export const HELLO_ID = 1;

/** Puts one encoded request on the wire. */
export type Transmit = <K extends AskKind>(id: number, kind: K, value: Requests[K]) => void;

/**
 * Joins replies to the requests of one connection. At most `inFlight` requests
 * are on the wire at a time, the others wait in order; a request whose reply
 * does not come in time rejects with Timeout, and a reply that comes later is
 * dropped.
 */
export class RequestTable {
  /** How many requests may await their reply. */
  inFlight = 1;

  private lastID = HELLO_ID;
  private ended: ChatError | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly onWire = new Set<number>();
  private readonly queue: Array<() => void> = [];

  constructor(private readonly transmit: Transmit) {}

  /** Asks, and resolves with the reply; the time runs from now. */
  ask<K extends AskKind>(kind: K, value: Requests[K], timeoutMs: number): Promise<Reply<K>> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      const id = ++this.lastID;
      const entry: Waiting = { kind, resolve: resolve as Waiting['resolve'], reject, timer: undefined };
      entry.timer = setTimeout(() => this.expire(id), timeoutMs);
      this.waiting.set(id, entry);
      this.queue.push(() => this.waiting.has(id) && this.put(id, kind, value));
      this.pump();
    });
  }

  /** Hands a reply to the one who asked. */
  settle(id: number, body: ServerBody): void {
    const entry = this.remove(id);
    if (!entry) return;
    if (body?.kind === 'error') {
      entry.reject(new ChatError(body.value.code, body.value.message, body.value));
    } else if (body?.kind === replyKinds[entry.kind]) {
      entry.resolve(body.value as never);
    } else {
      entry.reject(new ChatError(Code.BadReply, `The server answered ${entry.kind} with ${body?.kind ?? 'nothing'}.`));
    }
  }

  /** Rejects everything that waits, and everything that is asked later. */
  end(error: ChatError): void {
    this.ended = error;
    this.queue.length = 0;
    for (const id of [...this.waiting.keys()]) this.remove(id)?.reject(error);
  }

  private put<K extends AskKind>(id: number, kind: K, value: Requests[K]): void {
    this.onWire.add(id);
    try {
      this.transmit(id, kind, value);
    } catch (error) {
      const reason = error instanceof ChatError ? error : new ChatError(Code.InvalidParam, String(error));
      this.remove(id)?.reject(reason);
    }
  }

  private pump(): void {
    while (this.onWire.size < this.inFlight) {
      const next = this.queue.shift();
      if (!next) return;
      next();
    }
  }

  private remove(id: number): Waiting | undefined {
    const entry = this.waiting.get(id);
    if (!entry) return undefined;
    clearTimeout(entry.timer);
    this.waiting.delete(id);
    if (this.onWire.delete(id)) this.pump();
    return entry;
  }

  private expire(id: number): void {
    this.remove(id)?.reject(new ChatError(Code.Timeout, 'The server did not answer in time.', { retryable: true }));
  }
}
