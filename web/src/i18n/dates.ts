import { computed } from '@preact/signals';
import { locale, t } from '.';

const formats = computed(() => ({
  time: new Intl.DateTimeFormat(locale.value, { hour: 'numeric', minute: '2-digit' }),
  full: new Intl.DateTimeFormat(locale.value, { dateStyle: 'full', timeStyle: 'short' }),
  weekday: new Intl.DateTimeFormat(locale.value, { weekday: 'short' }),
  monthDay: new Intl.DateTimeFormat(locale.value, { month: 'short', day: 'numeric' }),
  date: new Intl.DateTimeFormat(locale.value, { year: 'numeric', month: 'numeric', day: 'numeric' }),
  longDay: new Intl.DateTimeFormat(locale.value, { weekday: 'long', month: 'long', day: 'numeric' }),
  longDate: new Intl.DateTimeFormat(locale.value, { year: 'numeric', month: 'long', day: 'numeric' }),
}));

/** The number of the local calendar day, so that two times on one day compare equal. */
export function dayNumber(time: number): number {
  const at = new Date(time);
  return Math.floor(Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) / 86_400_000);
}

/** The local calendar day around a time: its first millisecond, and the next day's. */
export function dayAround(time: number): { readonly start: number; readonly end: number } {
  const at = new Date(time);
  const [year, month, day] = [at.getFullYear(), at.getMonth(), at.getDate()];
  return { start: new Date(year, month, day).getTime(), end: new Date(year, month, day + 1).getTime() };
}

/** The clock time of a message. */
export function clock(time: number): string {
  return formats.value.time.format(time);
}

/** Date and time in full, for tooltips and screen readers. */
export function fullTime(time: number): string {
  return formats.value.full.format(time);
}

/** The short time of the conversation list: clock today, weekday this week, else the date. */
export function listTime(time: number, now: number): string {
  const age = dayNumber(now) - dayNumber(time);
  if (age <= 0) return formats.value.time.format(time);
  if (age === 1) return t('chat.yesterday');
  if (age < 7) return formats.value.weekday.format(time);
  return sameYear(time, now) ? formats.value.monthDay.format(time) : formats.value.date.format(time);
}

/** The caption of a day separator. */
export function dayCaption(time: number, now: number): string {
  const age = dayNumber(now) - dayNumber(time);
  if (age === 0) return t('chat.today');
  if (age === 1) return t('chat.yesterday');
  return sameYear(time, now) ? formats.value.longDay.format(time) : formats.value.longDate.format(time);
}

function sameYear(a: number, b: number): boolean {
  return new Date(a).getFullYear() === new Date(b).getFullYear();
}
