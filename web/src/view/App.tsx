import type { VNode } from 'preact';
import { route } from '../route';
import { Announcer } from './Announcer';
import { Banner } from './Banner';
import { Chat } from './Chat';
import { useStore } from './context';
import { Details } from './Details';
import { Sidebar } from './Sidebar';
import { SignIn } from './SignIn';
import { Welcome } from './Welcome';

/** The page: the sign-in form, or list, conversation and details side by side. */
export function App(): VNode {
  const { account } = useStore();
  if (!account.current.value) return <SignIn />;
  const { conversation, details } = route.value;
  const pane = conversation === undefined ? 'list' : details ? 'details' : 'chat';
  return (
    <main class="app">
      <Banner />
      <div class="shell" data-pane={pane}>
        <Sidebar />
        <div class="pane chat-pane">{conversation === undefined ? <Welcome /> : <Chat key={conversation} id={conversation} />}</div>
        {conversation !== undefined && details && <Details key={conversation} id={conversation} />}
      </div>
      <Announcer />
    </main>
  );
}
