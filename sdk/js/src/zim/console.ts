import type { Log, LogEntry } from '../log.js';
import type { ZIMLogConfig } from './types/index.js';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What setLogConfig chooses; nothing is logged before it is called. */
export class ConsoleLog {
  private least: number = LEVELS.length;

  /** Takes the least level to log; a level that is not one of the console's logs nothing. */
  set({ logLevel }: ZIMLogConfig): void {
    const least = LEVELS.findIndex((level) => level === logLevel);
    this.least = least < 0 ? LEVELS.length : least;
  }

  /** Logs an entry, if it is to be. */
  readonly log: Log = ({ level, event, details }: LogEntry) => {
    if (LEVELS.indexOf(level) >= this.least) console[level]('[ZIM]', event, details);
  };
}
