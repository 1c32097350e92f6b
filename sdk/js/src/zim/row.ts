import type { ChatClient } from '../client.js';
import type { ChatClientEvents } from '../events.js';
import type { Events, Methods } from './surface.js';

// The surface is made of tables. A row is a method, or what the core's event
// becomes; a capability is a table of each.

/** One method: its arguments, after the client that it works on. */
export type Method<K extends keyof Methods> = (client: ChatClient, ...args: Parameters<Methods[K]>) => ReturnType<Methods[K]>;

/** The name of an event. */
export type EventName = keyof Events<unknown>;

/** The second argument of an event's listener. */
export type Payload<K extends EventName> = Parameters<Events<unknown>[K]>[1];

/** Where an event of the core meets the app. */
export interface Scene {
  /** The user of the login, also while it ends. */
  readonly selfID: string;
  /** Whether the login was done before the event. */
  readonly loggedIn: boolean;
  /** Calls the app's listener of an event, if there is one. */
  emit<K extends EventName>(event: K, data: Payload<K>): void;
}

/** What the surface has of one area. */
export interface Capability {
  /** Methods that need a login. */
  readonly methods?: { readonly [K in keyof Methods]?: Method<K> };
  /** Methods that work without one: they concern the vendor's own service, and have no effect. */
  readonly accepted?: { readonly [K in keyof Methods]?: Methods[K] };
  readonly events?: { readonly [K in keyof ChatClientEvents]?: (scene: Scene, ...args: Parameters<ChatClientEvents[K]>) => void };
}
