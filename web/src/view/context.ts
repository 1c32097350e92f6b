import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Store } from '../store/store';

export const StoreContext = createContext<Store | undefined>(undefined);

/** The store of the page. */
export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error('a view was rendered outside of the StoreContext');
  return store;
}
