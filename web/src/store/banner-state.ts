import { computed, signal } from '@preact/signals';
import { ZIMConnectionEvent, ZIMConnectionState } from 'parley-chat';

/** What the banner tells, in the order of what matters most. */
export type Trouble = 'kicked' | 'expired' | 'disconnected' | 'offline' | 'reconnecting';

/** The life of the connection as the SDK reports it, and what the banner says of it. */
export class BannerState {
  /** True between a successful login and the next interruption. */
  readonly connected = signal(false);
  /** False when the device itself says that it has no network. */
  readonly deviceOnline = signal(true);
  /** When the connection was lost; undefined while it is there or was never there. */
  readonly lostAt = signal<number | undefined>(undefined);
  /** When the SDK tries again; undefined while it is trying. */
  readonly retryAt = signal<number | undefined>(undefined);
  private readonly ended = signal<'kicked' | 'expired' | 'disconnected' | undefined>(undefined);

  /** What is wrong, if anything; undefined also while the first login is on its way. */
  readonly trouble = computed<Trouble | undefined>(() => {
    if (this.ended.value) return this.ended.value;
    if (!this.connected.value && !this.deviceOnline.value) return 'offline';
    return this.lostAt.value === undefined ? undefined : 'reconnecting';
  });

  /** True when only a new login helps: nothing can be sent. */
  readonly over = computed(() => this.ended.value !== undefined);

  constructor(private readonly now: () => number) {}

  /** Forgets what was: a new login begins. */
  begin(): void {
    this.connected.value = false;
    this.lostAt.value = undefined;
    this.ended.value = undefined;
  }

  /** Takes an event; `extendedData` tells, in JSON, when the SDK is going to try again. */
  changed(state: ZIMConnectionState, event: ZIMConnectionEvent, extendedData = ''): void {
    this.retryAt.value = undefined;
    this.connected.value = state === ZIMConnectionState.Connected;
    if (state === ZIMConnectionState.Connected) {
      this.lostAt.value = undefined;
      this.ended.value = undefined;
    } else if (state === ZIMConnectionState.Reconnecting) {
      this.lostAt.value ??= this.now();
      const wait = retryIn(extendedData);
      if (wait !== undefined) this.retryAt.value = this.now() + wait;
    } else if (state === ZIMConnectionState.Disconnected) {
      this.lostAt.value = undefined;
      this.ended.value = endOf(event);
    }
  }
}

function retryIn(extendedData: string): number | undefined {
  try {
    const { retryInMs } = JSON.parse(extendedData) as { retryInMs?: unknown };
    return typeof retryInMs === 'number' ? retryInMs : undefined;
  } catch {
    return undefined;
  }
}

function endOf(event: ZIMConnectionEvent): 'kicked' | 'expired' | 'disconnected' | undefined {
  switch (event) {
    case ZIMConnectionEvent.KickedOut:
      return 'kicked';
    case ZIMConnectionEvent.TokenExpired:
      return 'expired';
    case ZIMConnectionEvent.Success:
      return undefined;
    default:
      return 'disconnected';
  }
}
