import type { Readable } from 'node:stream';

/** A place that features are shared in: a tree of files with a store's layout (see store/layout.ts). */
export interface Remote {
  /** Its address without credentials. */
  readonly title: string;
  /** True where it can be written to. */
  readonly writable: boolean;
  /** Why it cannot be, and what to do, where that is not for its kind. */
  readonly refusal?: string;
  /** True where only people who were let in can read: null where that is not known. */
  isPrivate?(signal?: AbortSignal): Promise<boolean | null>;
  /** Files below a folder, temporary ones left out; null where this kind of place cannot list. */
  list(folder: string, signal?: AbortSignal): Promise<RemoteFile[] | null>;
  /** Size of a file; null where there is none. */
  size(path: string, signal?: AbortSignal): Promise<number | null>;
  /** A file from a byte on (or from its beginning, where the server does not do that); null where there is none. */
  read(path: string, from: number, signal?: AbortSignal): Promise<Received | null>;
  /** Writes one file: it shows under its name when it is whole, and not before. */
  write?(file: Outgoing, signal?: AbortSignal): Promise<void>;
  /** Writes all files at one stroke; in place of `write`. */
  commit?(files: readonly Outgoing[], title: string, signal?: AbortSignal): Promise<void>;
  /** Removes what killed writers left long ago in the folders that were listed; where a kind of place leaves anything. */
  sweep?(): Promise<void>;
  /** Connections are given back. */
  close(): Promise<void>;
}

export interface RemoteFile {
  /** Relative to the remote. */
  readonly path: string;
  readonly bytes: number;
}

export interface Received {
  /** Position of the first byte of `body` in the file. */
  readonly from: number;
  /** Size of the whole file, where the server says it. */
  readonly total: number | null;
  readonly body: Readable;
}

/** A file on its way out. */
export interface Outgoing {
  /** Relative to the remote. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Where it lies, or its content. */
  readonly source: { readonly file: string } | { readonly content: Uint8Array };
  /** Told of each piece that goes over, in each try anew. */
  readonly onBytes?: (bytes: number) => void;
}

/** Files that are being written, and those that a killed writer left. */
export const isTemporary = (path: string): boolean => /(^|\/)\.|\.tmp$/.test(path);

/** Path below a remote's prefix. */
export const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/');
