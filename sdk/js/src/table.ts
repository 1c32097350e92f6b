import { Reader } from './reader.js';
import { Writer } from './writer.js';

// Reads and writes proto3's binary encoding by the table that
// scripts/protoc-gen-parley.mjs makes of the .proto files; it says there what
// the values look like. The table is one string: messages separated by ';', each
// `Name cell cell ...`, each cell `name<mark>:<type>,<number>`.
//   mark  * list   ? optional   | member of the message's oneof, `body`
//   type  s text   b bytes   h bytes in hexadecimal   f true or false
//         u number below 2^32   n number below 2^53
//         m<index> message   e<index> text of an enum

interface Field {
  readonly name: string;
  readonly mark: string;
  readonly type: string;
  /** Index of the message or enum. */
  readonly of: number;
  readonly tag: number;
}

interface Shape {
  readonly fields: readonly Field[];
  readonly byTag: ReadonlyMap<number, Field>;
  /** A message in which nothing is set. */
  readonly empty: Readonly<Record<string, unknown>>;
}

type Value = Readonly<Record<string, unknown>>;
type Body = { readonly kind: string; readonly value: unknown } | undefined;

/** A codec of the messages M of a table. Both directions throw RangeError or TypeError for what does not fit. */
export class Codec<M> {
  private readonly rows: readonly string[];
  private readonly enums: readonly (readonly string[])[];
  private readonly shapes: Shape[] = [];

  constructor(table: string, enums: string) {
    this.rows = table.split(';');
    this.enums = enums.split(';').map((texts) => texts.split(' '));
  }

  /** Writes a message. */
  encode<K extends keyof M & string>(name: K, message: M[K]): Uint8Array<ArrayBuffer> {
    const writer = new Writer();
    this.write(writer, this.shapeOf(name), message as Value);
    return writer.bytes();
  }

  /** Reads a message. Unknown fields are skipped; of a field that comes twice the last one counts. */
  decode<K extends keyof M & string>(name: K, data: Uint8Array): M[K] {
    return this.read(new Reader(data), this.shapeOf(name)) as M[K];
  }

  private shapeOf(name: string): Shape {
    return this.shape(this.rows.findIndex((row) => row === name || row.startsWith(`${name} `)));
  }

  private shape(index: number): Shape {
    return (this.shapes[index] ??= parse(this.rows[index] as string));
  }

  private write(writer: Writer, { fields }: Shape, message: Value): void {
    for (const field of fields) {
      const value = field.mark === '|' ? memberOf(message['body'] as Body, field) : message[field.name];
      if (field.mark === '*') for (const item of value as unknown[]) this.writeField(writer, field, item);
      else if (value !== undefined && (field.mark !== '' || !isDefault(value))) this.writeField(writer, field, value);
    }
  }

  private writeField(writer: Writer, { tag, type, of }: Field, value: unknown): void {
    writer.uint(tag);
    if (type === 'm') return writer.nested(() => this.write(writer, this.shape(of), value as Value));
    if (type === 's') return writer.text(value as string);
    if (type === 'b') return writer.chunk(value as Uint8Array);
    if (type === 'h') return writer.hex(value as string);
    if (type === 'u') return writer.uint(value as number);
    if (type === 'n') return writer.long(value as number);
    if (type === 'e') return writer.uint((this.enums[of] as string[]).indexOf(value as string));
    writer.uint(value === true ? 1 : 0);
  }

  private read(reader: Reader, { byTag, empty }: Shape): Value {
    const message: Record<string, unknown> = { ...empty };
    while (reader.more) {
      const tag = reader.uint();
      const field = byTag.get(tag);
      if (!field) reader.skip(tag);
      else put(message, field, this.readField(reader, field));
    }
    return message;
  }

  private readField(reader: Reader, { type, of }: Field): unknown {
    if (type === 'm') return this.read(reader.nested(), this.shape(of));
    if (type === 's') return reader.text();
    if (type === 'b') return reader.chunk();
    if (type === 'h') return reader.hex();
    if (type === 'u') return reader.uint();
    if (type === 'n') return reader.long();
    if (type === 'e') return this.enums[of]?.[reader.long()] || undefined;
    return reader.long() !== 0;
  }
}

function put(message: Record<string, unknown>, { name, mark }: Field, value: unknown): void {
  if (mark === '|') message['body'] = { kind: name, value };
  else if (mark === '*' && message[name] !== NONE) (message[name] as unknown[]).push(value);
  else if (mark === '*') message[name] = [value];
  else message[name] = value;
}

function memberOf(body: Body, { name }: Field): unknown {
  return body?.kind === name ? body.value : undefined;
}

function parse(row: string): Shape {
  const fields = row.split(' ').slice(1).map(parseCell);
  const empty = Object.fromEntries(fields.map(({ name, mark, type }) => (mark === '|' ? ['body', undefined] : [name, mark === '*' ? NONE : mark === '?' ? undefined : DEFAULTS[type]])));
  return { fields, byTag: new Map(fields.map((field) => [field.tag, field])), empty };
}

function parseCell(cell: string): Field {
  const [, name = '', mark = '', type = '', of, number] = /^(\w+)([*?|]?):(\w)(\d*),(\d+)$/.exec(cell) ?? [];
  const wireType = 'sbhm'.includes(type) ? 2 : 0;
  return { name, mark, type, of: Number(of), tag: Number(number) * 8 + wireType };
}

const NONE: readonly unknown[] = Object.freeze([]);
const DEFAULTS: Readonly<Record<string, unknown>> = { s: '', b: new Uint8Array(), h: '', f: false, u: 0, n: 0 };

function isDefault(value: unknown): boolean {
  return value === 0 || value === '' || value === false || (value instanceof Uint8Array && value.length === 0);
}
