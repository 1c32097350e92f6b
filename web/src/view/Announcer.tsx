import { useSignalEffect } from '@preact/signals';
import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import type { Arrival } from '../store/store';
import { useStore } from './context';

/** Arrivals within this time are announced as one. */
const batchMilliseconds = 1000;

/** Tells screen readers, politely and in batches, what has arrived and what happened to the connection. */
export function Announcer(): VNode {
  const store = useStore();
  const [spoken, speak] = useState({ text: '', count: 0 });
  const waiting = useRef<Arrival | undefined>(undefined);

  useSignalEffect(() => {
    const arrival = store.arrived.value;
    if (!arrival) return;
    const before = waiting.current;
    const joined = before?.id === arrival.id ? { ...arrival, count: before.count + arrival.count } : arrival;
    waiting.current = joined;
    if (before) return;
    setTimeout(() => {
      const due = waiting.current;
      waiting.current = undefined;
      if (due) speak(({ count }) => ({ text: phrase(due, store.nameOf(due.id)), count: count + 1 }));
    }, batchMilliseconds);
  });

  const trouble = store.banner.trouble.value;
  return (
    <div class="visually-hidden">
      <div aria-live="polite" class="announcer">
        {/* A new element each time: the same text twice is two announcements. */}
        <p key={spoken.count}>{spoken.text}</p>
      </div>
      <div role="status">{trouble && (trouble === 'reconnecting' ? t('banner.connecting') : t(`banner.${trouble}`))}</div>
    </div>
  );
}

function phrase({ count, text }: Arrival, name: string): string {
  return count === 1 ? `${t('chat.says', { name })} ${text}` : t('chat.announce', { n: count, name });
}
