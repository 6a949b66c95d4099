import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a server holds. */
export interface ServedFiles {
  /** Content by path: `/bucket/key`, `/folder/file`, `/owner/name/path`. */
  readonly files: Map<string, Buffer>;
  readonly folders: Set<string>;
  /** Last changes of files, where they are not of now. */
  readonly changed?: Map<string, Date>;
  /** S3 uploads in parts that were begun, by id. */
  readonly uploads?: Map<string, Upload>;
}

export interface Upload {
  readonly name: string;
  readonly begun: Date;
  readonly parts: Map<number, Buffer>;
}

/** One request with its body, as a protocol answers it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly url: URL;
  /** Behind the protocol's name: `/bucket/key`. */
  readonly path: string;
  readonly body: Buffer;
  readonly server: ServedFiles;
}

export interface Reply {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: Buffer | string;
}

export const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
