/** INI as Python's configparser reads it: values over several lines, [DEFAULT], %(name)s. */

export interface IniFile {
  /** In their order, without [DEFAULT]; each with what it inherits. Keys in lower case. */
  readonly sections: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** Throws an Error with the line that cannot be read; never with what is in it, which may be a key. */
export function parseIni(text: string): IniFile {
  const sections = new Map<string, Map<string, string[]>>();
  const place: Place = { section: undefined, value: undefined, indent: 0 };
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries())
    readLine(line, { place, sections, number: index + 1 });
  const defaults = valuesOf(sections.get('DEFAULT') ?? new Map<string, string[]>());
  sections.delete('DEFAULT');
  const inherited = [...sections].map(
    ([name, values]) => [name, interpolated({ ...defaults, ...valuesOf(values) })] as const,
  );
  return { sections: new Map(inherited) };
}

/** Where the reader is: what a line that is indented more goes on with. */
interface Place {
  section: Map<string, string[]> | undefined;
  value: string[] | undefined;
  indent: number;
}

interface Reading {
  readonly place: Place;
  readonly sections: Map<string, Map<string, string[]>>;
  readonly number: number;
}

function readLine(line: string, { place, sections, number }: Reading): void {
  const text = line.trim();
  if (/^[#;]/.test(text)) return;
  if (text === '') return void place.value?.push('');
  const indent = line.length - line.trimStart().length;
  if (place.value && indent > place.indent) return void place.value.push(text);
  const [, header] = /^\[([^\]]+)\]/.exec(text) ?? [];
  const reading = { place, sections, number };
  if (header !== undefined) return beginSection(header, reading);
  return beginValue(text, indent, reading);
}

function beginSection(header: string, { place, sections, number }: Reading): void {
  if (sections.has(header)) throw new Error(`line ${number}: the section is there twice`);
  place.section = new Map();
  place.value = undefined;
  sections.set(header, place.section);
}

function beginValue(text: string, indent: number, { place, number }: Reading): void {
  const [, key = '', value = ''] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(text) ?? [];
  if (!place.section) throw new Error(`line ${number}: comes before the first [section]`);
  if (key === '') throw new Error(`line ${number}: neither [section] nor key = value`);
  const name = key.toLowerCase();
  if (place.section.has(name)) throw new Error(`line ${number}: ${name} is there twice`);
  place.value = [value];
  place.indent = indent;
  place.section.set(name, place.value);
}

function valuesOf(values: ReadonlyMap<string, readonly string[]>): Record<string, string> {
  return Object.fromEntries(
    [...values].map(([name, lines]) => [name, lines.join('\n').trimEnd()] as const),
  );
}

/** More than this refers to itself. */
const depth = 10;

function interpolated(values: Readonly<Record<string, string>>): Record<string, string> {
  const fill = (text: string, left: number): string =>
    text.replaceAll(/%%|%\(([^)]+)\)s/g, (all, name?: string) => {
      if (all === '%%') return '%';
      const value = values[(name ?? '').toLowerCase()];
      return value === undefined || left === 0 ? all : fill(value, left - 1);
    });
  return Object.fromEntries(
    Object.entries(values).map(([name, text]) => [name, fill(text, depth)] as const),
  );
}
