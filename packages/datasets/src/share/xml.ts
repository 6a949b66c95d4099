import { XMLParser } from 'fast-xml-parser';
import { TransferFailure } from './failure.ts';

/** Values stay text; elements of these names are lists, however many there are; prefixes go. */
const LISTS = new Set(['Contents', 'Upload', 'Part', 'response', 'propstat']);
const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  removeNSPrefix: true,
  isArray: (name) => LISTS.has(name),
});

/** @throws TransferFailure where it is no XML. */
export function parseXml(text: string, what: string): { readonly [name: string]: unknown } {
  try {
    if (!text.trimStart().startsWith('<')) throw new Error();
    return parser.parse(text, true) as { [name: string]: unknown };
  } catch {
    throw new TransferFailure('broken', `${what}: the answer is not the XML that was expected`);
  }
}

/** Walks into nested elements; undefined where one is absent. */
export function at(value: unknown, ...names: readonly string[]): unknown {
  let here = value;
  for (const name of names) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as { [name: string]: unknown })[name];
  }
  return here;
}

export const textAt = (value: unknown, ...names: readonly string[]): string => {
  const found = at(value, ...names);
  return typeof found === 'string' ? found : '';
};
