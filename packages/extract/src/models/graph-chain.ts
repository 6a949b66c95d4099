import {
  type Device,
  type Feeds,
  type HostTensor,
  type Session,
  type SessionOptions,
  type ValueInfo,
  createSession,
} from '@lsgmer/onnx/runtime';
import { UserError } from '@lsgmer/datasets';
import type { OnnxConfig } from '../encoders/onnx-config.ts';
import { CHAIN_INPUT, transposed } from '../features/described.ts';

/** What runs: one session, or several one after the other. */
export interface Runner {
  readonly device: Device;
  run(feeds: Feeds, outputs: readonly string[]): Promise<Record<string, HostTensor>>;
  release(): Promise<void>;
}

/** Graphs of a described encoder, each fed with the input or with what an earlier one gave. */
export class GraphChain implements Runner {
  readonly device: Device;
  private readonly config: OnnxConfig;
  private readonly sessions: readonly Session[];

  private constructor(config: OnnxConfig, sessions: readonly Session[]) {
    this.config = config;
    this.sessions = sessions;
    this.device = (sessions[0] as Session).device;
  }

  /**
   * Opens the graphs and compares them with the description.
   * @param paths of the graphs, in the description's order
   * @throws UserError when inputs or outputs are not what the description says
   */
  static async open(
    config: OnnxConfig,
    paths: readonly string[],
    options: SessionOptions,
  ): Promise<GraphChain> {
    const sessions: Session[] = [];
    for (const path of paths) sessions.push(await createSession(path, options));
    checkChain(config, sessions, paths);
    return new GraphChain(config, sessions);
  }

  /** @param outputs of any of the graphs */
  async run(feeds: Feeds, outputs: readonly string[]): Promise<Record<string, HostTensor>> {
    const input = feeds[CHAIN_INPUT] as HostTensor;
    const known = new Map<string, HostTensor>([[CHAIN_INPUT, input]]);
    for (const [i, session] of this.sessions.entries()) {
      const { inputs } = this.config.models[i] as OnnxConfig['models'][number];
      const given = session.inputs.map(({ name, type, shape }) => {
        const source = inputs[name] as string;
        const tensor = known.get(source) ?? filled(input, source === 'mask' ? 1 : 0, type);
        return [name, withAxes(tensor, shape.length)] as const;
      });
      const results = await session.run(Object.fromEntries(given));
      for (const [name, tensor] of Object.entries(results)) known.set(name, tensor);
    }
    return Object.fromEntries(outputs.map((name) => [name, this.finished(name, known.get(name))]));
  }

  /** What a graph gave; the encoder's output as [batch, steps, dim]. */
  private finished(name: string, found: HostTensor | undefined): HostTensor {
    const { output, layout, dim } = this.config;
    if (found === undefined) throw new Error(`no graph gave ${name}`);
    if (name !== output) return found;
    const steps = found.shape.at(layout === 'steps' ? 1 : 2) ?? 0;
    if (found.shape.length !== 3 || found.shape[layout === 'steps' ? 2 : 1] !== dim)
      throw new Error(
        `${output} has shape [${found.shape.join(', ')}], expected ${layout === 'steps' ? `[batch, steps, ${dim}]` : `[batch, ${dim}, steps]`}`,
      );
    return layout === 'steps' ? found : turned(found, steps, dim);
  }

  async release(): Promise<void> {
    for (const session of this.sessions) await session.release();
  }
}

function checkChain(config: OnnxConfig, sessions: readonly Session[], paths: readonly string[]): void {
  const known = new Set([CHAIN_INPUT, 'mask', 'zeros']);
  const given: ValueInfo[] = [];
  sessions.forEach(({ inputs, outputs }, i) => {
    const { inputs: wanted } = config.models[i] as OnnxConfig['models'][number];
    const path = paths[i] ?? '';
    const names = inputs.map(({ name }) => name);
    const unmet = names.filter((name) => !(name in wanted));
    if (unmet.length > 0)
      throw new UserError(
        `${path} has the inputs ${names.join(', ')}, but nothing is said of ${unmet.join(', ')}`,
      );
    for (const [name, source] of Object.entries(wanted)) {
      if (!names.includes(name))
        throw new UserError(`${path} has no input ${name}: it has ${names.join(', ')}`);
      if (!known.has(source)) {
        throw new UserError(
          `${path}: ${name} is to be fed with ${source}, which is neither input, mask or zeros nor an output of an earlier graph`,
        );
      }
    }
    for (const output of outputs) {
      known.add(output.name);
      given.push(output);
    }
  });
  const output = given.find(({ name }) => name === config.output);
  if (output !== undefined) return;
  const names = given.map(({ name }) => name);
  const why = names.includes('logits')
    ? ': it is the export of a whole model with its head, whose logits are scores and no features; export it for feature extraction'
    : '';
  throw new UserError(`${paths.join(', ')} gives ${names.join(', ')}, expected ${config.output}${why}`);
}

/** A tensor of the input's batch and length: ones for a mask, zeros for token types. */
function filled(input: HostTensor, value: 0 | 1, type: ValueInfo['type']): HostTensor {
  const shape = input.shape.slice(0, 2);
  const count = shape.reduce((product, dim) => product * dim, 1);
  switch (type) {
    case 'int64':
      return { data: new BigInt64Array(count).fill(BigInt(value)), shape };
    case 'int32':
      return { data: new Int32Array(count).fill(value), shape };
    case 'bool':
    case 'uint8':
      return { data: new Uint8Array(count).fill(value), shape };
    default:
      return { data: new Float32Array(count).fill(value), shape };
  }
}

/** [batch, samples] as [batch, 1, samples], where a graph has an axis for channels. */
function withAxes(tensor: HostTensor, axes: number): HostTensor {
  const [batch, ...rest] = tensor.shape;
  return tensor.shape.length + 1 === axes ? { ...tensor, shape: [batch as number, 1, ...rest] } : tensor;
}

function turned({ data, shape }: HostTensor, steps: number, dim: number): HostTensor {
  const out = new Float32Array(data.length);
  const size = steps * dim;
  for (let row = 0; row < (shape[0] ?? 0); row++)
    out.set(
      transposed((data as Float32Array).subarray(row * size, (row + 1) * size), dim, steps),
      row * size,
    );
  return { data: out, shape: [shape[0] ?? 0, steps, dim] };
}
