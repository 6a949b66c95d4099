import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { Rng } from '@lsgmer/datasets';

export interface Proxy {
  readonly server: Server;
  readonly host: string;
  /**
   * Connections that may still be broken, whether a bit of what is sent is turned over, bytes that were sent, and after how
   * many of them nothing goes over any more.
   */
  readonly plan: { cuts: number; flip: boolean; sent: number; end: number };
}

/** Forwards to a server; breaks connections that carry content, and changes what goes over, as it is told. */
export async function badProxy(target: string): Promise<Proxy> {
  const rng = Rng.for('bad', target);
  const plan = { cuts: 0, flip: false, sent: 0, end: Number.POSITIVE_INFINITY };
  const [host = '', port = ''] = target.split(':');
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    let left = plan.cuts > 0 ? 200_000 + rng.int(3_000_000) : Number.POSITIVE_INFINITY;
    const forward = (from: typeof near, to: typeof near): void => {
      from.on('data', (bytes: Buffer) => {
        left -= bytes.length;
        if (from === near) plan.sent += bytes.length;
        if (plan.sent > plan.end) {
          near.destroy();
          far.destroy();
          return;
        }
        if (plan.flip && from === near && bytes.length > 20_000)
          bytes[10_000] = (bytes[10_000] as number) ^ 1;
        if (left < 0 && plan.cuts > 0) {
          plan.cuts--;
          near.destroy();
          far.destroy();
        } else if (!to.write(bytes)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    };
    forward(near, far);
    forward(far, near);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}`, plan };
}
