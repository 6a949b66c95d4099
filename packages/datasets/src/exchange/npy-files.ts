import { readFileSync } from 'node:fs';
import type { ForeignSource } from './foreign-array.ts';
import { type ForeignFile, problemOf } from './foreign-files.ts';
import { decodeNpy } from './npy.ts';

/** One .npy for each utterance, named by it. */
export function npyFiles(files: readonly ForeignFile[]): ForeignSource {
  return {
    format: '.npy',
    count: files.length,
    async *arrays(wanted = () => true) {
      for (const { path, stem } of files) {
        const names = [stem];
        if (!wanted(names)) continue;
        try {
          yield { names, place: path, ...decodeNpy(readFileSync(path)) };
        } catch (error) {
          yield problemOf(error, path);
        }
      }
    },
  };
}
