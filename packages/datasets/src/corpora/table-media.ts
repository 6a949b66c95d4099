import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { UserError } from '../base/errors.ts';

/** Ordinary names of the folder that holds the recordings; the first is the root itself. */
const FOLDERS = ['', 'audio', 'wav', 'wavs', 'clips', 'data'];
/** Endings that are tried where the table leaves them out. */
const ENDINGS = ['.wav', '.flac', '.mp3', '.ogg', '.opus', '.m4a', '.mp4'];
const HAS_ENDING = /\.(wave?|flac|mp3|ogg|oga|opus|m4a|aac|mp4|mkv|webm|wma|aiff?)$/i;
/** So many files decide which folder is meant. */
const SAMPLE = 20;

/**
 * Finds the folder of the recordings, relative to the root: the one asked for, else the first of the ordinary ones
 * (or of `folders`) that holds most of the table's first files.
 * @throws UserError where the one that was asked for is no folder.
 */
export function findAudioFolder(
  root: string,
  asked: string | undefined,
  files: readonly string[],
  folders: readonly string[] = FOLDERS,
): string {
  if (asked !== undefined) {
    const folder = join(root, asked);
    if (!existsSync(folder) || !statSync(folder).isDirectory()) {
      throw new UserError(
        `no folder ${folder}: expected the recordings (--columns audio=FOLDER is relative to ROOT)`,
      );
    }
    return asked;
  }
  const sample = files.slice(0, SAMPLE);
  const held = (folder: string) =>
    sample.filter((file) => existsSync(join(root, resolveFile(root, folder, file)))).length;
  return folders.reduce((best, folder) => (held(folder) > held(best) ? folder : best), folders[0] ?? '');
}

/**
 * Path of a recording relative to the root, with `/`: as the table has it (absolute, or below the audio folder), or
 * with the first ordinary ending that exists where the table leaves the ending out.
 */
export function resolveFile(root: string, folder: string, file: string): string {
  const path = (isAbsolute(file) ? relative(root, file) : join(folder, file)).replaceAll('\\', '/');
  if (HAS_ENDING.test(path)) return path;
  const ending = ENDINGS.find((one) => existsSync(join(root, path + one)));
  return path + (ending ?? '');
}

/** The file's path below the root or the audio folder without its ending: the rest of an id. */
export function withoutEnding(root: string, file: string): string {
  const path = isAbsolute(file) ? relative(root, file) : file;
  return path
    .replace(HAS_ENDING, '')
    .replaceAll('\\', '/')
    .replace(/^(\.\/)+/, '');
}
