#!/usr/bin/env node
// A plugin of buf: writes the messages of the contract (proto/wire) as TypeScript
// interfaces in plain JavaScript terms, as the table that src/table.ts reads and
// writes them by, and what the frame's options say of each method. What the
// table cannot say fails here. A second file joins what protoc-gen-es makes of
// the same files, for the tests.
//
// Names: userId -> userID; a time ...Ms loses its unit, a duration keeps it; a
// oneof is { kind, value }; enum values are texts, 'otherDevice' for
// REASON_OTHER_DEVICE, and undefined when unspecified or unknown; bytes that are
// an ID are hexadecimal; bytes with a message inside are that message.
import { getOption, hasOption } from '@bufbuild/protobuf';
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

/** What the options say of a field; undefined when the option is not set. */
function optionOf(schema, name, field) {
  const option = schema.allFiles.flatMap((file) => file.extensions).find((e) => e.typeName === `parley.method.${name}`);
  return option && hasOption(field, option) ? getOption(field, option) : undefined;
}

/** Puts the message that bytes hold in the place of the bytes. */
function openBytes(schema, messages) {
  for (const field of messages.flatMap((m) => m.fields)) {
    const inside = optionOf(schema, 'inside', field);
    if (inside) Object.assign(field, { message: messages.find((m) => m.name === inside), fieldKind: 'message', scalar: undefined });
  }
}

function printMethods(g, schema, frame, server) {
  const rows = frame.oneofs[0].fields.map((field) => {
    const method = optionOf(schema, 'method', field);
    if (!method) throw new Error(`${field}: the option (parley.method.method) is missing`);
    return { field, kind: ['', 'read', 'write', 'once'][method.kind], zim: method.zim, since: method.since };
  });
  g.print('/** The methods: whether they are asked again, their name in zego-zim-web, the version of the contract that they came with. */');
  g.print('export const methods = {');
  for (const { field, kind, zim, since } of rows) g.print(`  ${nameOf(field)}: { kind: '${kind}', zim: '${zim}', since: ${since} },`);
  g.print('} as const;');
  g.print();
  g.print('/** The replies by method. */');
  g.print('export interface Replies {');
  for (const { field } of rows) g.print(`  ${nameOf(field)}: ${field.message.name}Reply;`);
  g.print('}');
  g.print();
  g.print('/** What a server says unasked. */');
  g.print('export interface Pushes {');
  for (const field of server.oneofs[0].fields) if (field.number >= 500) g.print(`  ${nameOf(field)}: ${field.message.name};`);
  g.print('}');
  g.print();
}

function generate(g, schema, files) {
  const messages = files.flatMap((file) => file.messages);
  const enums = files.flatMap((file) => [...file.enums, ...file.messages.flatMap((m) => m.nestedEnums)]);
  const comments = commentsOf(files);
  openBytes(schema, messages);
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
  const named = (name) => messages.find((m) => m.name === name);
  printMethods(g, schema, named('ClientFrame'), named('ServerFrame'));
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
      const files = schema.files.filter((file) => file.name.startsWith('wire/'));
      const made = (name) => {
        const g = schema.generateFile(name);
        g.print('// Made from proto/wire by scripts/protoc-gen-parley.mjs. Do not edit.');
        g.print();
        return g;
      };
      generate(made('wire/wire.ts'), schema, files);
      const oracle = made('wire/wire_pb.ts');
      const names = files.map((file) => file.name.replace('wire/', ''));
      oracle.print(`import type { GenFile } from '@bufbuild/protobuf/codegenv2';`);
      for (const name of names) oracle.print(`import { file_wire_${name} } from './${name}_pb.js';`);
      for (const name of names) oracle.print(`export * from './${name}_pb.js';`);
      oracle.print();
      oracle.print(`export const files: readonly GenFile[] = [${names.map((name) => `file_wire_${name}`).join(', ')}];`);
    },
  }),
);

// The comments that stand before a declaration.
function commentsOf(files) {
  const found = new Map();
  for (const file of files) {
    const byPath = new Map((file.proto.sourceCodeInfo?.location ?? []).map((l) => [l.path.join('.'), { leading: l.leadingComments }]));
    const note = (declaration, path) => found.set(declaration, byPath.get(path));
    file.messages.forEach((m, i) => {
      note(m, `4.${i}`);
      m.fields.forEach((f) => note(f, `4.${i}.2.${m.proto.field.indexOf(f.proto)}`));
      m.oneofs.forEach((o, k) => note(o, `4.${i}.8.${k}`));
      m.nestedEnums.forEach((e, k) => note(e, `4.${i}.4.${k}`));
    });
    file.enums.forEach((e, i) => note(e, `5.${i}`));
  }
  return (declaration) => found.get(declaration) ?? {};
}
