/** The names that a module exports, by kind. */
export interface Surface {
  enums: Map<string, string[]>;
  interfaces: string[];
  aliases: string[];
  methods: Map<string, number>;
  events: string[];
}
export function readSurface(file: string): Surface;
export function namesOf(surface: Surface): Record<string, string[]>;
export function missingNames(reference: Surface, ours: Surface): string[];
export function assertions(reference: Surface, ours: Surface, refSpecifier: string, oursSpecifier: string): { text: string; count: number };
export function compile(file: string): string[];
