/**
 * The token of a login: the one that a server took, and perhaps one that is
 * offered to take its place. An offered one is tried first, and the other one
 * again when it was refused.
 */
export class TokenSlot {
  private offered: string | undefined;
  private lastSaid: string;

  constructor(private accepted: string) {
    this.lastSaid = accepted;
  }

  /** The token of the last hello, or the one that was accepted since. */
  get said(): string {
    return this.lastSaid;
  }

  /** The token for the next hello. */
  say(): string {
    this.lastSaid = this.offered ?? this.accepted;
    return this.lastSaid;
  }

  /** A token that has yet to prove good. */
  offer(token: string): void {
    this.offered = token;
  }

  /** It is not to be tried any more. */
  withdraw(token: string): void {
    if (this.offered === token) this.offered = undefined;
  }

  /** A server took this one. */
  accept(token: string): void {
    this.withdraw(token);
    this.accepted = token;
    this.lastSaid = token;
  }

  /** A server refused the one that was said; gives whether there is another one to try. */
  refuse(): boolean {
    this.withdraw(this.lastSaid);
    return (this.offered ?? this.accepted) !== this.lastSaid;
  }
}
