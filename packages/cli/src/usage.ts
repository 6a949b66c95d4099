import { editDistance, nearest } from '@lsgmer/datasets';

/** What a command line could have said where it went wrong. */
export interface Possible {
  /** Options of the command, without dashes. */
  readonly options: readonly string[];
  /** Commands that could stand there; none where the command is complete. */
  readonly commands: readonly string[];
  /** Names of the words that the command takes. */
  readonly positionals: readonly string[];
}

/**
 * A complaint of yargs about the command line, as one line that says what is wrong and what was probably meant.
 * @param message yargs' own, in English
 * @param argv the command line that it is about
 */
export function usageMessage(message: string, argv: readonly string[], possible: Possible): string {
  const unknown = /^Unknown arguments?: (.*)$/s.exec(message)?.[1];
  if (unknown !== undefined)
    return onceEach(unknown.split(', '))
      .map((name) => {
        const given = spelling(name, argv);
        return given === undefined ? unknownWord(name, possible) : unknownOption(name, given, possible);
      })
      .join('; ');
  const meant = /^Did you mean (.*)\?$/s.exec(message)?.[1];
  if (meant !== undefined) return unknownWord(likest(meant, argv), possible);
  const required = /^Missing required arguments?: (.*)$/.exec(message)?.[1];
  if (required !== undefined) return `missing: ${required.split(', ').map(dashed).join(' and ')}`;
  if (message.startsWith('Not enough non-option arguments'))
    return `missing: ${possible.positionals.map((name) => `<${name}>`).join(' ')}`;
  const choices = [...message.matchAll(/Argument: (\S+), Given: (.*), Choices: (.*)/g)];
  if (choices.length > 0)
    return choices.map(([, name = '', given = '', list = '']) => wrongChoice(name, given, list)).join('; ');
  return message.replaceAll(/:?\s*\n\s*/g, '; ').replace(/[.:;\s]+$/, '');
}

function unknownOption(name: string, given: string, { options }: Possible): string {
  const meant = close(name, options);
  if (meant !== undefined)
    return `no option ${given}: did you mean ${given.startsWith('--no-') ? `--no-${meant}` : dashed(meant)}?`;
  // trainer and head have options of their own, which are not options of the command
  const hint = options.includes('set') ? `: settings are given as --set ${name}=VALUE` : '';
  return `no option ${given}${hint}`;
}

function unknownWord(word: string, { commands }: Possible): string {
  if (commands.length === 0) return `'${word}' is one word too many`;
  const meant = close(word, commands);
  return meant === undefined
    ? `no command '${word}': expected ${listed(commands)}`
    : `no command '${word}': did you mean ${meant}?`;
}

function wrongChoice(name: string, given: string, list: string): string {
  const values = list.split(', ').map(bare);
  const meant = close(bare(given), values);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return `--${name} ${bare(given)}: expected ${listed(values)}${hint}`;
}

/** The nearest name, where it is near enough to have been meant: every third letter may be wrong. */
export function close(name: string, names: readonly string[]): string | undefined {
  const best = nearest(name, names);
  if (best === undefined) return undefined;
  const most = Math.max(1, Math.floor(name.length / 3));
  return editDistance(name.toLowerCase(), best.toLowerCase()) <= most ? best : undefined;
}

/** The word of the command line that is nearest to a name. */
const likest = (name: string, argv: readonly string[]): string =>
  nearest(
    name,
    argv.filter((word) => !word.startsWith('-')),
  ) ?? '';

/** yargs names an option with a dash in both its spellings: `max-secnds, maxSecnds`. */
function onceEach(names: readonly string[]): string[] {
  const camels = new Set(names.filter((name) => name.includes('-')).map(camel));
  return [...new Set(names)].filter((name) => !camels.has(name));
}

const camel = (name: string): string => name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** An option as it was given, `--no-` and all; undefined for a word without dashes. */
function spelling(name: string, argv: readonly string[]): string | undefined {
  const given = argv
    .filter((word) => word.startsWith('-'))
    .map((word) => word.replace(/=.*$/s, ''))
    .find((word) => word === `-${name}` || word === `--${name}` || word === `--no-${name}`);
  // of several letters behind one dash yargs makes an option each
  return given ?? (argv.some((word) => new RegExp(`^-[^-]*${name}`).test(word)) ? dashed(name) : undefined);
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);

const bare = (text: string): string => text.replace(/^"(.*)"$/s, '$1');

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;

/** A command line that is none of lsgmer's: one line, exit code 2. */
export class UsageError extends Error {
  /** The words of the command whose help tells more; none: lsgmer's own. */
  readonly command: readonly string[];

  constructor(message: string, command: readonly string[]) {
    super(message);
    this.command = command;
  }
}
