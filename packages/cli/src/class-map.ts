import { existsSync, readFileSync } from 'node:fs';
import { UserError, UserErrors } from '@lsgmer/datasets';
import { z } from 'zod';

const MapFile = z.record(z.string(), z.string().nullable());

/**
 * Which class of a head each class of another corpus is: that of its own name, unless a map says otherwise.
 * @param file JSON: `{"class of the corpus": "class of the head", "another": null}`; null has no counterpart
 * @returns by index of the corpus's class: index of the head's class, or null
 * @throws UserErrors with every name that neither side knows; UserError where nothing is left
 */
export function classMap(
  theirs: readonly string[],
  ours: readonly string[],
  file: string | undefined,
): (number | null)[] {
  const given = file === undefined ? {} : readMap(file);
  const problems = Object.entries(given).flatMap(([from, to]) => [
    ...(theirs.includes(from)
      ? []
      : [`${file}: the corpus has no class ${from}; it has ${theirs.join(', ')}`]),
    ...(to === null || ours.includes(to)
      ? []
      : [`${file}: the head has no class ${to}; it has ${ours.join(', ')}`]),
  ]);
  if (problems.length > 0) throw new UserErrors(problems);
  const map = theirs.map((name) => {
    const to = name in given ? (given[name] as string | null) : name;
    const index = to === null ? -1 : ours.indexOf(to);
    return index === -1 ? null : index;
  });
  if (map.every((one) => one === null))
    throw new UserError(
      `no class of the corpus (${theirs.join(', ')}) is one of the head's (${ours.join(', ')}): say which is which with --map FILE`,
    );
  return map;
}

function readMap(file: string): { [name: string]: string | null } {
  if (!existsSync(file))
    throw new UserError(`no file ${file}: --map takes a JSON file {"theirs": "ours" or null}`);
  try {
    return MapFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new UserError(
      `${file}: expected JSON of the form {"class of the corpus": "class of the head", "another": null}`,
    );
  }
}
