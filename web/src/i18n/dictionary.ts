import type { en } from './en';

/** The forms of one countable phrase; `other` is the one every language has. */
export interface PluralForms {
  readonly one?: string;
  readonly other: string;
}

/** Everything the page can say. */
export type Key = keyof typeof en;

/** A language: the same keys, a phrase where English has a phrase, plural forms where it has them. */
export type Dictionary = {
  readonly [K in Key]: (typeof en)[K] extends string ? string : PluralForms;
};

type NamesIn<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;
type Template<K extends Key> = (typeof en)[K] extends string ? (typeof en)[K] : (typeof en)[K] extends { other: infer O } ? O : never;

/** The parameters that the phrase `K` names; `n` is a number, the rest are texts. */
export type Params<K extends Key> = { readonly [N in NamesIn<Template<K>>]: N extends 'n' ? number : string };

/** The arguments after the key: none when the phrase names no parameter. */
export type Args<K extends Key> = [NamesIn<Template<K>>] extends [never] ? [] : [params: Params<K>];

/** The keys of phrases without parameters. */
export type PlainKey = { [K in Key]: [NamesIn<Template<K>>] extends [never] ? K : never }[Key];
