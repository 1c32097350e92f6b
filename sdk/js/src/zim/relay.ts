import type { ChatClient } from '../client.js';
import type { ChatClientEvents } from '../events.js';
import type { Capability, Scene } from './row.js';

type Listener = (...args: unknown[]) => void;

/** Gives the core's events out as those of the surface, by the tables. */
export function relay(client: ChatClient, capabilities: readonly Capability[], emit: Scene['emit']): void {
  const scene = { selfID: '', loggedIn: false, emit };
  client.on('state', () => {
    scene.selfID = client.userID ?? scene.selfID;
  });
  for (const { events = {} } of capabilities) {
    for (const [name, row] of Object.entries(events)) {
      const listener: Listener = (...args) => (row as (scene: Scene, ...args: unknown[]) => void)(scene, ...args);
      client.on(name as keyof ChatClientEvents, listener);
    }
  }
  client.on('state', () => {
    scene.loggedIn = client.loggedIn;
  });
}
