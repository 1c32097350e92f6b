// Compares the public types of two packages of the ZIM surface: reads what
// each exports, and writes a TypeScript file whose every line is an assertion
// that the compiler checks. Used by check-zim-types.mjs and its test.
import ts from 'typescript';

export const compilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  types: [],
};

/**
 * What a module exports, by kind. Methods are written `ZIM.create` when static
 * and `ZIM#login` when not; `overloads` tells how often a method is declared.
 */
export function readSurface(file) {
  const program = ts.createProgram([file], compilerOptions);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(file));
  if (!module) throw new Error(`${file} exports nothing`);
  const surface = { enums: new Map(), interfaces: [], aliases: [], methods: new Map(), events: [] };
  for (const exported of checker.getExportsOfModule(module)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    if (exported.name !== 'default') addSymbol(surface, exported.name, symbol, checker);
  }
  return surface;
}

function addSymbol(surface, name, symbol, checker) {
  if (symbol.flags & ts.SymbolFlags.Enum) surface.enums.set(name, [...symbol.exports.keys()].map(String));
  else if (symbol.flags & ts.SymbolFlags.Class) addMethods(surface, name, symbol, checker);
  else if (name === 'ZIMEventHandler') surface.events = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).map((event) => event.name);
  else if (symbol.flags & ts.SymbolFlags.Interface) surface.interfaces.push(name);
  else if (symbol.flags & ts.SymbolFlags.TypeAlias) surface.aliases.push(name);
}

// A class also has what the interfaces declare that it is merged with.
function addMethods(surface, className, symbol, checker) {
  const add = (separator, member) => {
    const declared = (member.declarations ?? []).filter(isPublicMethod);
    const overloads = declared.filter((d) => !d.body);
    if (declared.length > 0) surface.methods.set(`${className}${separator}${member.name}`, overloads.length || 1);
  };
  symbol.exports.forEach((member) => add('.', member));
  for (const member of checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))) add('#', member);
}

function isPublicMethod(declaration) {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (ts.isMethodDeclaration(declaration) || ts.isMethodSignature(declaration)) && !(ts.getCombinedModifierFlags(declaration) & hidden);
}

/** All names of a surface, by kind. */
export function namesOf(surface) {
  return {
    methods: [...surface.methods.keys()],
    events: surface.events,
    enums: [...surface.enums.keys()],
    types: [...surface.interfaces, ...surface.aliases],
  };
}

/** The names of the reference that are missing in ours: a sentence for each. */
export function missingNames(reference, ours) {
  return Object.entries(namesOf(reference)).flatMap(([kind, names]) => {
    const present = new Set(namesOf(ours)[kind]);
    return names.filter((name) => !present.has(name)).map((name) => `${name} is missing (${kind})`);
  });
}

const PRELUDE = `
type Accepts<To, From extends To> = [To, From];
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type True<T extends true> = T;
type Overloads<F> = F extends { (...a: infer A1): infer R1; (...a: infer A2): infer R2 } ? [A1, R1, A2, R2] : never;
`;

// Parley's own additions to interfaces of the reference, all optional.
const MAY_HAVE_MORE = new Set(['ZIMAppConfig']);
// They give out the instance: ours takes the place of theirs, which has no private fields.
const GIVE_INSTANCE = new Set(['ZIM.create', 'ZIM.getInstance']);
// Generic over the events: checked for each event.
const PER_EVENT = new Set(['ZIM#on', 'ZIM#off']);

/** The assertions for everything that both surfaces have. */
export function assertions(reference, ours, refSpecifier, oursSpecifier) {
  const lines = [
    `import type * as Ref from '${refSpecifier}';`,
    `import type * as Ours from '${oursSpecifier}';`,
    PRELUDE,
    'declare const ours: Ours.ZIM;',
    'declare const ref: Ref.ZIM;',
  ];
  let count = 0;
  const check = (...assertion) => {
    for (const text of assertion) lines.push(`export type T${count++} = ${text};`);
  };
  for (const [name, keys] of reference.enums) if (ours.enums.has(name)) check(...enumChecks(name, keys));
  for (const name of reference.interfaces) if (ours.interfaces.includes(name)) check(...interfaceChecks(name));
  for (const name of reference.aliases) if (ours.aliases.includes(name)) check(...functionChecks(`Ref.${name}`, `Ours.${name}`));
  for (const [name, overloads] of reference.methods) if (ours.methods.has(name)) check(...methodChecks(name, overloads));
  for (const name of reference.events) if (ours.events.includes(name)) check(...eventChecks(name));
  return { text: lines.join('\n') + '\n', count };
}

function mutual(a, b) {
  return [`Accepts<${a}, ${b}>`, `Accepts<${b}, ${a}>`];
}

function enumChecks(name, keys) {
  const values = keys.map((key) => `True<Same<\`\${Ref.${name}.${key}}\`, \`\${Ours.${name}.${key}}\`>>`);
  return [`True<Same<keyof typeof Ref.${name}, keyof typeof Ours.${name}>>`, ...values];
}

function interfaceChecks(name) {
  const keys = MAY_HAVE_MORE.has(name)
    ? `Accepts<keyof Ours.${name}, keyof Ref.${name}>`
    : `True<Same<keyof Ref.${name}, keyof Ours.${name}>>`;
  return [keys, ...mutual(`Ref.${name}`, `Ours.${name}`)];
}

function functionChecks(a, b) {
  return [...mutual(a, b), ...mutual(`Parameters<${a}>`, `Parameters<${b}>`), ...mutual(`ReturnType<${a}>`, `ReturnType<${b}>`)];
}

function methodChecks(name, overloads) {
  if (PER_EVENT.has(name)) return [];
  const [className, method] = name.split(/[.#]/);
  const of = (side) => (name.includes('#') ? `${side}.${className}['${method}']` : `(typeof ${side}.${className})['${method}']`);
  if (GIVE_INSTANCE.has(name)) return instanceChecks(of('Ref'), of('Ours'));
  if (overloads > 1) return mutual(`Overloads<${of('Ref')}>`, `Overloads<${of('Ours')}>`);
  return functionChecks(of('Ref'), of('Ours'));
}

function instanceChecks(a, b) {
  return [...mutual(`Parameters<${a}>`, `Parameters<${b}>`), `True<Same<ReturnType<${b}>, Ours.ZIM | null>>`, `Accepts<ReturnType<${a}>, ReturnType<${b}>>`];
}

function eventChecks(name) {
  const handler = (side) => `Parameters<${side}.ZIMEventHandler['${name}']>`;
  return [
    ...mutual(`${handler('Ref')}[1]`, `${handler('Ours')}[1]`),
    `True<Same<${handler('Ref')}['length'], ${handler('Ours')}['length']>>`,
    `Accepts<Ours.ZIM, ${handler('Ours')}[0]>`,
    `Accepts<Parameters<typeof ours.on<'${name}'>>, ['${name}', Ours.ZIMEventHandler['${name}']]>`,
    `True<Same<Parameters<typeof ours.off<'${name}'>>, Parameters<typeof ref.off<'${name}'>>>>`,
    `True<Same<ReturnType<typeof ours.on<'${name}'>>, ReturnType<typeof ref.on<'${name}'>>>>`,
  ];
}

/** What the compiler says about a generated file: one sentence for each failed assertion. */
export function compile(file) {
  const program = ts.createProgram([file], compilerOptions);
  const source = program.getSourceFile(file);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    if (diagnostic.file !== source) return `${diagnostic.file?.fileName ?? ''}: ${message}`;
    const { line } = ts.getLineAndCharacterOfPosition(source, diagnostic.start);
    return `${source.text.split('\n')[line]}\n  ${message}`;
  });
}
