import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { networkError, TransferFailure } from '../../src/share/failure.ts';

const failed = (code: string, more: object): Error => Object.assign(new Error('failed'), { code, ...more });

describe('networkError', () => {
  it('names the host that is not there, also where fetch wraps the reason', () => {
    const gone = failed('ENOTFOUND', { hostname: 'bucket.s3.us-eest-1.amazonaws.com' });
    const said = networkError(gone, 'LIST s3://bucket/p');
    expect(said).toBeInstanceOf(UserError);
    expect((said as Error).message).toBe(
      'LIST s3://bucket/p: there is no host bucket.s3.us-eest-1.amazonaws.com: check the address, or the endpoint that is set',
    );
    const wrapped = new TypeError('fetch failed', { cause: failed('ENOTFOUND', { hostname: 'hub.lab' }) });
    expect((networkError(wrapped, 'GET hf://datasets/a/b') as Error).message).toMatch(/no host hub\.lab:/);
  });

  it('names whom there is no connection to, where the error says it', () => {
    const refused = failed('ECONNREFUSED', { address: '127.0.0.1', port: 9000 });
    const several = Object.assign(new AggregateError([refused]), { code: '' });
    for (const [error, words] of [
      [refused, 'no connection to 127.0.0.1:9000 (ECONNREFUSED)'],
      [several, 'no connection to 127.0.0.1:9000 (ECONNREFUSED)'],
      [failed('EAI_AGAIN', { hostname: 'hub.lab' }), 'no connection to hub.lab (EAI_AGAIN)'],
      [failed('UND_ERR_CONNECT_TIMEOUT', {}), 'no connection (UND_ERR_CONNECT_TIMEOUT)'],
    ] as const) {
      const said = networkError(error, 'GET x');
      expect(said).toBeInstanceOf(TransferFailure);
      expect((said as Error).message).toBe(`GET x: ${words}`);
    }
  });
});
