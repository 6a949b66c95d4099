import { beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { tf } from '@lsgmer/onnx';
import { trainingPass } from '../../src/engine/passes.ts';
import type { Head } from '../../src/head/contract.ts';
import { useCpu } from '../support/cpu-backend.ts';

beforeAll(useCpu);

const broken: Head = {
  name: 'own',
  options: [],
  parameters: () => [],
  inputs: () => [],
  forward: () => {
    throw new Error('shapes do not fit\nand more');
  },
  loss: () => {
    throw new Error('not reached');
  },
};

describe('trainingPass', () => {
  it("words what goes wrong in a head from a file as its author's; in one of ours it is a bug", () => {
    const weights = { w: tf.scalar(1) };
    const own = (): unknown => trainingPass({ ...broken, source: 'ab12' }, {}, weights, {});
    expect(own).toThrow(UserError);
    expect(own).toThrow(/^head own: its gradient: shapes do not fit; lsgmer head check tells more$/);
    const ours = (): unknown => trainingPass(broken, {}, weights, {});
    expect(ours).not.toThrow(UserError);
    expect(ours).toThrow(/^shapes do not fit\nand more$/);
  });
});
