import { UserError } from '../base/errors.ts';

/**
 * Why a request did not work out, where trying again may help. Everything that trying again cannot help is a
 * UserError at once.
 * - busy: the server said so (408, 429, 5xx)
 * - unreachable: no connection
 * - silent: connected, and nothing came for the time that was allowed
 * - cut: the connection broke
 * - broken: the answer contradicts itself, or what was asked
 */
export type FailureKind = 'busy' | 'unreachable' | 'silent' | 'cut' | 'broken';

export class TransferFailure extends Error {
  override readonly name = 'TransferFailure';
  readonly kind: FailureKind;
  /** The far side was there before it broke: such breaks are counted apart. */
  moved = false;
  /** What the server asked for (Retry-After). */
  readonly waitMs: number | null;

  constructor(kind: FailureKind, message: string, waitMs: number | null = null) {
    super(message);
    this.kind = kind;
    this.waitMs = waitMs;
  }
}

const BUSY = new Set([408, 425, 429, 500, 502, 503, 504]);
const MOST_RETRY_AFTER_MS = 120_000;

/**
 * The error for an answer that is neither success nor "not there".
 * @param what `PUT s3://bucket/key`, without credentials.
 * @param said what the server's body says, where that is safe to show.
 */
export function statusError(
  status: number,
  what: string,
  said: string,
  retryAfter: string | undefined,
  hint = '',
): Error {
  const answer = `${what}: the server answered ${status}${said === '' ? '' : ` (${said})`}`;
  if (BUSY.has(status)) return new TransferFailure('busy', answer, retryAfterMs(retryAfter));
  if (status === 401 || status === 403)
    return new UserError(
      `${answer}: it does not let you${hint === '' ? ': check your credentials' : `: ${hint}`}`,
    );
  if (status === 413)
    return new UserError(
      `${answer}: files of this size are not taken: raise its limit (nginx: client_max_body_size)`,
    );
  if (status === 507) return new UserError(`${answer}: its disk is full`);
  if (status >= 300 && status < 400)
    return new UserError(`${answer}: it points elsewhere: give the address that it points to`);
  return new UserError(`${answer}: check the address`);
}

function retryAfterMs(text: string | undefined): number | null {
  if (text === undefined || !/^\d+$/.test(text.trim())) return null;
  return Math.min(Number(text) * 1000, MOST_RETRY_AFTER_MS);
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const SILENT = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const CUT = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'UND_ERR_SOCKET',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** Words for an error of the network; anything else comes back as it is. */
export function networkError(error: unknown, what: string): unknown {
  if (!(error instanceof Error) || error instanceof UserError || error instanceof TransferFailure)
    return error;
  const { code = '' } = error as NodeJS.ErrnoException;
  const cause = (error as { cause?: unknown }).cause;
  const far = farSide(error);
  if (code === 'ENOTFOUND')
    return new UserError(`${what}: there is no host ${far}: check the address, or the endpoint that is set`);
  if (/CERT|SELF_SIGNED|UNABLE_TO_|^ERR_TLS|^ERR_SSL/.test(code))
    return new UserError(
      `${what}: its certificate is not trusted (${code}): if it is your own, name its authority in NODE_EXTRA_CA_CERTS`,
    );
  if (UNREACHABLE.has(code))
    return new TransferFailure(
      'unreachable',
      `${what}: no connection${far === '' ? '' : ` to ${far}`} (${code})`,
    );
  if (SILENT.has(code)) return new TransferFailure('silent', `${what}: nothing came back`);
  if (CUT.has(code)) return new TransferFailure('cut', `${what}: the connection broke (${code})`);
  if (code.startsWith('HPE_'))
    return new TransferFailure(
      'broken',
      `${what}: the answer is not HTTP (${code}): is it another protocol?`,
    );
  // several addresses were tried (AggregateError), or fetch wrapped the reason
  const inner = (error as { errors?: unknown[] }).errors?.[0] ?? cause;
  return inner === undefined ? error : networkError(inner, what);
}

/** Which host an error of the network is about, as it says itself: the address, an endpoint or a proxy meant it. */
function farSide(error: Error): string {
  const { hostname, address, port } = error as { hostname?: string; address?: string; port?: number };
  if (hostname !== undefined) return hostname;
  return address === undefined ? '' : `${address}${port === undefined ? '' : `:${port}`}`;
}
