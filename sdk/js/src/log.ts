import { asChatError } from './errors.js';

/** How much an entry matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Something that has happened. No entry has a token, a message or the text of an error in it. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly event: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** Takes what there is to log. */
export type Log = (entry: LogEntry) => void;

/** Logs how a request has ended, and gives it back. */
export function loggedRequest<T>(log: Log | undefined, kind: string, request: Promise<T>): Promise<T> {
  if (!log) return request;
  const started = performance.now();
  const ended = (level: LogLevel, code: number): void => {
    log({ level, event: 'request', details: { kind, ms: Math.round(performance.now() - started), code } });
  };
  request.then(
    () => ended('debug', 0),
    (reason) => ended('warn', asChatError(reason).code),
  );
  return request;
}
