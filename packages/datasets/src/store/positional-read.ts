import { read, readSync } from 'node:fs';

/** Node reads less than 2 GiB at once. */
const MAX_READ = 1 << 30;

/** Reads exactly `length` bytes of a file at `position` into `target`, from its byte `at` on. @returns false at the file's end. */
export function readExactly(
  fd: number,
  target: NodeJS.ArrayBufferView,
  at: number,
  length: number,
  position: number,
): boolean {
  for (let done = 0; done < length;) {
    const got = readSync(fd, target, at + done, Math.min(length - done, MAX_READ), position + done);
    if (got === 0) return false;
    done += got;
  }
  return true;
}

/**
 * The same on one of libuv's threads. The file must stay open, and `target` untouched, until it is done.
 * @param done is called once; `whole` is false at the file's end.
 */
export function readExactlyLater(
  fd: number,
  target: NodeJS.ArrayBufferView,
  at: number,
  length: number,
  position: number,
  done: (error: Error | undefined, whole: boolean) => void,
): void {
  const go = (from: number): void => {
    if (from === length) return done(undefined, true);
    read(fd, target, at + from, Math.min(length - from, MAX_READ), position + from, (error, got) => {
      if (error) done(error, false);
      else if (got === 0) done(undefined, false);
      else go(from + got);
    });
  };
  go(0);
}
