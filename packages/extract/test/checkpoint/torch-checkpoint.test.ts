import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { readFloats } from '../../src/checkpoint/stored-tensor.ts';
import { readTorchCheckpoint } from '../../src/checkpoint/torch-checkpoint.ts';
import { goldenPath } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-torch-'));
afterAll(() => rmSync(folder, { recursive: true }));
const refused = (name: string): string => goldenPath(`checkpoints/refused/${name}`);

describe('readTorchCheckpoint', () => {
  it('reads views and element types as they are', async () => {
    const { tensors } = await readTorchCheckpoint(refused('views.pt'));
    expect(tensors.map(({ name, kind, shape }) => [name, kind, shape])).toEqual([
      ['a', 'I64', [2]],
      ['view', 'F32', [3, 2]],
      ['half', 'F16', [4]],
    ]);
    const [, view, half] = tensors.map((tensor) => () => [...readFloats(tensor)]);
    // torch.arange(12.).reshape(3, 4).T[1:, ::2]
    expect(view?.()).toEqual([1, 9, 2, 10, 3, 11]);
    expect(half?.()[1]).toBeCloseTo(1 / 3, 3);
  });

  it('runs nothing, and names what it does not read', async () => {
    for (const name of ['command.pt', 'command-legacy.pt']) {
      const reading = readTorchCheckpoint(refused(name));
      await expect(reading).rejects.toThrow(UserError);
      await expect(reading).rejects.toThrow(
        /command.*it holds posix\.system, which is no tensor: nothing of it was run/,
      );
    }
    expect(existsSync('/tmp/lsgmer-was-here')).toBe(false);
    await expect(readTorchCheckpoint(refused('namespace.pt'))).rejects.toThrow('it holds argparse.Namespace');
    await expect(readTorchCheckpoint(refused('epoch.pt'))).rejects.toThrow('entry epoch is no tensor');
    await expect(readTorchCheckpoint(refused('script.pt'))).rejects.toThrow('it is a TorchScript program');
  });

  it('refuses what is cut off or no checkpoint', async () => {
    const damaged = (name: string, bytes: Uint8Array): Promise<unknown> => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return readTorchCheckpoint(path);
    };
    const zip = readFileSync(goldenPath('checkpoints/roberta-masked-lm/pytorch_model.bin'));
    await expect(damaged('a.bin', zip.subarray(0, zip.length - 100))).rejects.toThrow(
      /a\.bin is no torch checkpoint that can be read: .*[Ee]nd of [Cc]entral/,
    );
    const old = readFileSync(goldenPath('checkpoints/bert-legacy/pytorch_model.bin'));
    await expect(damaged('b.bin', old.subarray(0, old.length - 4))).rejects.toThrow(/the file is cut off/);
    await expect(
      damaged('c.bin', Buffer.from('version https://git-lfs.github.com/spec/v1\n')),
    ).rejects.toThrow('it is neither a zip archive nor a pickle');
    await expect(damaged('d.bin', Buffer.from('80024b012e', 'hex'))).rejects.toThrow(
      'not one that torch.save wrote',
    );
    const tar = Buffer.alloc(512);
    tar.write('ustar', 257);
    await expect(damaged('e.bin', tar)).rejects.toThrow('the tar format of torch before 0.4');
  });
});
