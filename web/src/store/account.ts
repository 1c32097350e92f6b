import { signal } from '@preact/signals';
import { shownName } from '../text/bidi';
import type { DemoUser, Environment } from './environment';
import { codeOf } from './failure';

/** Who is signed in, and with what. `demo` means that the server hands out fresh tokens. */
export interface Account {
  readonly appID: number;
  readonly userID: string;
  readonly userName: string;
  readonly token: string;
  readonly demo: boolean;
}

const storageKey = 'parley.account';

/**
 * Who is signed in in this tab. `current` is set as soon as somebody has been
 * chosen: the page shows its frame at once while the login is still on its way.
 */
export class AccountState {
  readonly current = signal<Account | undefined>(undefined);
  /** Undefined until it is known whether the server has demo users. */
  readonly demoUsers = signal<readonly DemoUser[] | undefined>(undefined);
  readonly starting = signal(true);
  readonly signingIn = signal(false);
  /** The code of the failure that the sign-in page explains. */
  readonly failure = signal<number | undefined>(undefined);

  constructor(private readonly env: Environment) {}

  /** Finds out who is here: the address names a user, the tab remembers one, or the sign-in page asks. */
  async start(): Promise<void> {
    const kept = this.kept();
    const wanted = this.env.wantedUser;
    if (kept && (wanted === undefined || wanted === kept.userID)) this.current.value = kept;
    const users = await this.env.dev.users().catch(() => undefined);
    this.demoUsers.value = users?.map((user) => ({ ...user, userName: shownName(user.userName, user.userID) })) ?? [];
    if (!this.current.value && wanted !== undefined && users) await this.signInAsDemo(wanted);
    this.starting.value = false;
  }

  /** Becomes a demo user, with a token fetched for it. */
  async signInAsDemo(userID: string): Promise<void> {
    this.signingIn.value = true;
    this.failure.value = undefined;
    try {
      const { appID, token } = await this.env.dev.token(userID);
      const userName = this.demoUsers.value?.find((user) => user.userID === userID)?.userName ?? '';
      this.signIn({ appID, userID, userName, token, demo: true });
    } catch (error) {
      this.failure.value = codeOf(error);
    } finally {
      this.signingIn.value = false;
    }
  }

  signIn(account: Account): void {
    this.failure.value = undefined;
    this.keep(account);
    this.current.value = account;
  }

  /** A fresh token for the account, or undefined when only the application could give one. */
  async freshToken(account: Account): Promise<string | undefined> {
    if (!account.demo) return undefined;
    const { token } = await this.env.dev.token(account.userID);
    this.keep({ ...account, token });
    return token;
  }

  /** Back to the sign-in page, with the reason when it was not the user's wish. */
  signOut(failure?: number): void {
    this.env.tab.remove(storageKey);
    this.failure.value = failure;
    this.current.value = undefined;
  }

  private keep(account: Account): void {
    this.env.tab.set(storageKey, JSON.stringify(account));
  }

  private kept(): Account | undefined {
    try {
      const kept = JSON.parse(this.env.tab.get(storageKey) ?? 'null') as Partial<Account> | null;
      return kept?.appID && kept.userID && kept.token
        ? { userName: '', demo: false, ...kept, appID: kept.appID, userID: kept.userID, token: kept.token }
        : undefined;
    } catch {
      return undefined;
    }
  }
}
