#!/usr/bin/env node
// A plugin of buf: writes the messages of a .proto file as TypeScript
// interfaces in plain JavaScript terms, and as the table that src/table.ts
// reads and writes them by. What the table cannot say fails here.
//
// Names: userId -> userID; a time ...Ms loses its unit, a duration keeps it; a
// oneof is { kind, value }; enum values are texts, 'otherDevice' for
// REASON_OTHER_DEVICE, and undefined when unspecified or unknown; bytes that are
// an ID are hexadecimal.
import { createEcmaScriptPlugin, runNodeJs } from '@bufbuild/protoplugin';

const STRING = 9, BYTES = 12, BOOL = 8, UINT32 = 13, UINT64 = 4;
const LETTERS = { [STRING]: 's', [BYTES]: 'b', [BOOL]: 'f', [UINT32]: 'u', [UINT64]: 'n' };
const TYPES = { s: 'string', h: 'string', b: 'Uint8Array', f: 'boolean', u: 'number', n: 'number' };

const nameOf = (field) => field.localName.replace(/Id(s?)$/, 'ID$1').replace(/^(timestamp|.*(?:Time|At|Since))Ms$/, '$1');
const lowerFirst = (text) => text[0].toLowerCase() + text.slice(1);
const camel = (text) => lowerFirst(text.toLowerCase().replace(/(?:^|_)(\w)/g, (_, c) => c.toUpperCase()));

/** The texts of an enum by number. */
function textsOf(anEnum) {
  return anEnum.values.map(({ localName, number }, i) => {
    if (number !== i) throw new Error(`${anEnum}: values must be numbered without gaps`);
    return number === 0 ? '' : camel(localName);
  });
}

function letterOf(field) {
  if (field.fieldKind === 'map' || (field.fieldKind === 'list' && field.listKind !== 'message' && field.scalar !== STRING)) {
    throw new Error(`${field}: the table knows lists of messages and of texts only`);
  }
  if (field.message) return 'm';
  if (field.enum) return 'e';
  const letter = LETTERS[field.scalar];
  if (!letter) throw new Error(`${field}: the table has no such type`);
  return letter === 'b' && /Id$/.test(field.localName) ? 'h' : letter;
}

function typeOf(field) {
  const letter = letterOf(field);
  const one = letter === 'm' ? field.message.name : letter === 'e' ? field.enum.name : TYPES[letter];
  return field.fieldKind === 'list' ? `readonly ${one}[]` : one;
}

const mayLack = (field) => field.fieldKind === 'enum' || field.fieldKind === 'message' || field.proto.proto3Optional;

function docOf(schemaComments, indent) {
  const text = (schemaComments.leading ?? '').trim();
  if (text === '') return [];
  const lines = text.split('\n').map((line) => line.trim());
  return lines.length === 1 ? [`${indent}/** ${text} */`] : [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`];
}

function printInterface(g, message, comments) {
  for (const line of docOf(comments(message), '')) g.print(line);
  g.print('export interface ', message.name, ' {');
  for (const member of message.members) {
    for (const line of docOf(comments(member), '  ')) g.print(line);
    if (member.kind === 'oneof') {
      g.print('  readonly ', member.localName, ':');
      for (const f of member.fields) g.print(`    | { readonly kind: '${nameOf(f)}'; readonly value: ${typeOf(f)} }`);
      g.print('    | undefined;');
    } else {
      g.print('  readonly ', nameOf(member), ': ', typeOf(member), mayLack(member) ? ' | undefined' : '', ';');
    }
  }
  g.print('}');
  g.print();
}

/** `name<mark>:letter[index],number`; the mark tells a list (*), an optional scalar (?), a member of the oneof (|). */
function cellOf(field, messages, enums) {
  const letter = letterOf(field);
  const index = letter === 'm' ? messages.indexOf(field.message) : letter === 'e' ? enums.indexOf(field.enum) : '';
  const mark = field.fieldKind === 'list' ? '*' : field.proto.proto3Optional ? '?' : field.oneof ? '|' : '';
  return `${nameOf(field)}${mark}:${letter}${index},${field.number}`;
}

function generate(g, file, comments) {
  const { messages } = file;
  const enums = [...file.enums, ...messages.flatMap((m) => m.nestedEnums)];
  for (const e of enums) {
    for (const line of docOf(comments(e), '')) g.print(line);
    g.print('export type ', e.name, ' = ', textsOf(e).slice(1).map((text) => `'${text}'`).join(' | '), ';');
    g.print();
  }
  for (const message of messages) printInterface(g, message, comments);
  g.print('/** The messages by name. */');
  g.print('export interface Messages {');
  for (const { name } of messages) g.print('  ', name, ': ', name, ';');
  g.print('}');
  g.print();
  const rows = messages.map((m) => [m.name, ...m.fields.map((f) => cellOf(f, messages, enums))].join(' '));
  g.print('/** The messages, for the Codec of table.ts. */');
  g.print(`export const table: string = '${rows.join(';')}';`);
  g.print('/** The texts of the enums, in the order of their numbers. */');
  g.print(`export const enums: string = '${enums.map((e) => textsOf(e).join(' ')).join(';')}';`);
}

runNodeJs(
  createEcmaScriptPlugin({
    name: 'protoc-gen-parley',
    version: 'v1',
    generateTs(schema) {
      for (const file of schema.files) {
        const g = schema.generateFile(`${file.name}.ts`);
        g.print('// Made from ', file.proto.name, ' by scripts/protoc-gen-parley.mjs. Do not edit.');
        g.print();
        generate(g, file, commentsOf(file));
      }
    },
  }),
);

// The comments that stand before a declaration.
function commentsOf(file) {
  const byPath = new Map((file.proto.sourceCodeInfo?.location ?? []).map((l) => [l.path.join('.'), { leading: l.leadingComments }]));
  const paths = new Map();
  file.messages.forEach((m, i) => {
    paths.set(m, `4.${i}`);
    m.fields.forEach((f) => paths.set(f, `4.${i}.2.${m.proto.field.indexOf(f.proto)}`));
    m.oneofs.forEach((o, k) => paths.set(o, `4.${i}.8.${k}`));
    m.nestedEnums.forEach((e, k) => paths.set(e, `4.${i}.4.${k}`));
  });
  file.enums.forEach((e, i) => paths.set(e, `5.${i}`));
  return (declaration) => byPath.get(paths.get(declaration)) ?? {};
}
