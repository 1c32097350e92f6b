import { asChatError, ChatError, Code } from './errors.js';
import type { AskKind, Reply, Requests, ServerBody } from './frames.js';
import type { Content } from './suspects.js';
import { Timer } from './timer.js';

interface Waiting {
  readonly kind: AskKind;
  readonly content: Content;
  readonly resolve: (value: never) => void;
  readonly reject: (error: ChatError) => void;
  readonly timer: Timer;
}

/** The id of the hello frame; requests take the ids above. */
export const HELLO_ID = 1;

/** What a request table needs of its link. */
export interface RequestPort {
  encode<K extends AskKind>(id: number, kind: K, value: Requests[K], requestID: string): Uint8Array;
  send(frame: Uint8Array): void;
}

/** How much a server takes. */
export interface RequestLimits {
  /** Requests that may await their reply. */
  readonly inFlight: number;
  /** Bytes of one frame; 0 is no limit. */
  readonly frameBytes: number;
  /** Whether to ask one at a time until everything that waits has been answered. */
  readonly cautious: boolean;
}

/**
 * Joins replies to the requests of one connection. A limited number of requests
 * is on the wire at a time, the others wait in order; a request whose reply
 * does not come in time rejects with Timeout, and a reply that comes later is
 * dropped. Pings do not queue: they find out whether the others will be
 * answered.
 */
export class RequestTable {
  private limits: RequestLimits = { inFlight: 1, frameBytes: 0, cautious: false };
  private lastID = HELLO_ID;
  private ended: ChatError | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly onWire = new Set<number>();
  private readonly queue: Array<() => void> = [];

  constructor(private readonly port: RequestPort) {}

  /** Whether replies are due, those to pings apart. */
  get busy(): boolean {
    return this.onWire.size > 0;
  }

  /** Takes the server's limits. */
  limit(limits: RequestLimits): void {
    this.limits = limits;
    this.pump();
  }

  /** Asks, and resolves with the reply; the time runs from now. */
  ask<K extends AskKind>(kind: K, value: Requests[K], timeoutMs: number, requestID = ''): Promise<Reply<K>> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      const id = ++this.lastID;
      const timer = new Timer();
      this.waiting.set(id, { kind, content: value, resolve: resolve as Waiting['resolve'], reject, timer });
      timer.start(timeoutMs, () => this.expire(id));
      if (kind === 'ping') return this.put(id, kind, value, requestID);
      this.queue.push(() => {
        if (!this.waiting.has(id)) return;
        this.onWire.add(id);
        this.put(id, kind, value, requestID);
      });
      this.pump();
    });
  }

  /** Hands a reply to the one who asked. */
  settle(id: number, body: ServerBody): void {
    const entry = this.remove(id);
    if (!entry) return;
    if (body?.kind === 'error') {
      entry.reject(new ChatError(body.value.code, body.value.message, body.value));
    } else if (body?.kind === entry.kind) {
      entry.resolve(body.value as never);
    } else {
      entry.reject(new ChatError(Code.BadReply, `The server answered ${entry.kind} with ${body?.kind ?? 'nothing'}.`));
    }
  }

  /** The requests whose reply is due. */
  inFlight(): Content[] {
    return [...this.onWire].flatMap((id) => this.waiting.get(id)?.content ?? []);
  }

  /** Rejects everything that waits, each with its own error, and everything that is asked later. */
  end(error: (request: Content) => ChatError): void {
    this.queue.length = 0;
    const entries = [...this.waiting.values()];
    this.waiting.clear();
    this.onWire.clear();
    this.ended = error({});
    for (const { timer, reject, content } of entries) {
      timer.stop();
      reject(error(content));
    }
  }

  private put<K extends AskKind>(id: number, kind: K, value: Requests[K], requestID: string): void {
    try {
      const frame = this.port.encode(id, kind, value, requestID);
      const { frameBytes } = this.limits;
      if (frameBytes > 0 && frame.length > frameBytes) {
        throw new ChatError(Code.InvalidParam, `The request has ${frame.length} bytes; at most ${frameBytes} are allowed.`);
      }
      this.port.send(frame);
    } catch (error) {
      this.remove(id)?.reject(error instanceof ChatError ? error : new ChatError(Code.InvalidParam, asChatError(error).message));
    }
  }

  private pump(): void {
    const { inFlight, cautious } = this.limits;
    while (this.onWire.size < (cautious ? 1 : inFlight)) {
      const next = this.queue.shift();
      if (!next) return;
      next();
    }
  }

  private remove(id: number): Waiting | undefined {
    const entry = this.waiting.get(id);
    if (!entry) return undefined;
    entry.timer.stop();
    this.waiting.delete(id);
    if (!this.onWire.delete(id)) return entry;
    if (this.onWire.size === 0 && this.queue.length === 0) this.limits = { ...this.limits, cautious: false };
    this.pump();
    return entry;
  }

  private expire(id: number): void {
    this.remove(id)?.reject(new ChatError(Code.Timeout, 'The server did not answer in time.', { retryable: true }));
  }
}
