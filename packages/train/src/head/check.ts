import { Rng, UserErrors } from '@lsgmer/datasets';
import { lackingKernels } from '@lsgmer/onnx';
import { optionSpecs } from '../config/configuration.ts';
import { problemOf } from '../config/option.ts';
import { parameterViews } from '../engine/parameters.ts';
import type { EngineFactory } from '../experiment/request.ts';
import { CHECK_CLASSES, CHECK_DIMS, checkBatch, type CheckPadding } from './check-batch.ts';
import { finiteDifferences } from './check-gradients.ts';
import type { Engine, Head, HeadConfig } from './contract.ts';
import { initialValues } from './initial-values.ts';

/** One thing that was looked at. */
export interface HeadCheck {
  readonly name: string;
  readonly ok: boolean;
  /** A figure, or what is wrong and what to do. */
  readonly detail: string;
}

/** Largest difference between the engines, of the largest value. */
const ENGINES_AGREE = 1e-4;
const PADDING_CHANGES = 1e-4;

/** Thrown inside a check: its text is the check's detail. */
class Finding extends Error {}

interface Pass {
  readonly loss: number;
  readonly logits: Float32Array;
  readonly gradient: Float32Array;
}

/**
 * Tries a head at small sizes: its declarations, both engines against each other, gradients against finite
 * differences, padding, and a modality that is not there.
 * @param engines op by op on tfjs, and traced
 * @returns one entry for each check; later checks that need an earlier one are left out where it failed
 */
export async function checkHead(
  head: Head,
  config: HeadConfig,
  engines: { readonly eager: EngineFactory; readonly traced: EngineFactory },
): Promise<HeadCheck[]> {
  const checks: HeadCheck[] = [];
  const check = async (name: string, run: () => Promise<string> | string): Promise<boolean> => {
    try {
      checks.push({ name, ok: true, detail: await run() });
      return true;
    } catch (error) {
      checks.push({ name, ok: false, detail: oneLine(error) });
      return false;
    }
  };
  const declared =
    (await check('options', () => checkOptions(head))) &&
    (await check('parameters', () => checkParameters(head, config))) &&
    (await check('inputs', async () => {
      const names = Object.keys((await checkBatch(head, config)).feeds);
      return `${names.length} inputs: ${names.join(', ')}`;
    }));
  if (!declared) return checks;

  const made: Engine[] = [];
  const make = async (factory: EngineFactory): Promise<Engine> => {
    const engine = await factory.create(head, config, CHECK_DIMS, CHECK_CLASSES);
    engine.parameters.set(startingPoint(head, config));
    made.push(engine);
    return engine;
  };
  try {
    const eager = await make(engines.eager);
    const pass = (engine: Engine, padding: CheckPadding = {}): Promise<Pass> =>
      run(engine, head, config, padding);
    let plain: Pass | undefined;
    await check('runs on tfjs', async () => {
      plain = await pass(eager);
      const values = [plain.loss, ...plain.logits, ...plain.gradient];
      if (!values.every(Number.isFinite)) throw new Finding('loss, logits or gradients are not finite');
      return `loss ${plain.loss.toFixed(4)}`;
    });
    if (plain === undefined) return checks;
    const expected = plain;

    await check('kernels', async () => {
      const { used, lacking } = await lackingKernels(() => pass(eager));
      if (lacking.length > 0)
        throw new Finding(
          `the tracer lacks ${lacking.join(', ')}: write the head without, or add them in packages/onnx/src/tracer/kernels`,
        );
      return `${used.length} kinds, all of which can be traced`;
    });
    await check('finite differences', () => finiteDifferences(head, config, eager));
    eager.parameters.set(startingPoint(head, config));
    let traced: Engine | undefined;
    await check('engines agree', async () => {
      const engine = await make(engines.traced);
      const found = await pass(engine);
      traced = engine;
      return agree(head, config, found, expected, ENGINES_AGREE);
    });
    for (const [name, engine] of [
      ['tfjs', eager],
      ['onnx', traced],
    ] as const) {
      if (engine === undefined) continue;
      await check(`padding, ${name}`, async () => {
        const padded = await pass(engine, { rows: 3, text: 7, audio: 20, map: 3, junk: 3 });
        return agree(head, config, padded, expected, PADDING_CHANGES);
      });
      await check(`alone, ${name}`, async () => checkAlone(engine, head, config, expected));
      await check(`modality not there, ${name}`, () => checkAbsent(engine, head, config));
    }
  } finally {
    for (const engine of made) await engine.dispose();
  }
  return checks;
}

function checkOptions(head: Head): string {
  optionSpecs(head); // a key twice, or one of the trainer's
  const problems = head.options.flatMap((spec) => problemOf(spec, spec.default) ?? []);
  if (problems.length > 0) throw new UserErrors(problems.map((problem) => `default of ${problem}`));
  return head.options.length === 0 ? 'none' : head.options.map((spec) => spec.key).join(', ');
}

function checkParameters(head: Head, config: HeadConfig): string {
  const specs = head.parameters(config, CHECK_DIMS, CHECK_CLASSES);
  const views = parameterViews(specs);
  const odd = specs.filter(({ shape }) => !shape.every((size) => Number.isInteger(size) && size > 0));
  if (odd.length > 0)
    throw new Finding(odd.map(({ name, shape }) => `${name} has shape [${shape.join(', ')}]`).join('; '));
  const total = views.reduce((sum, view) => sum + view.length, 0);
  return `${specs.length} tensors, ${total} values at d ${String(config['d'] ?? '?')}`;
}

/** Initial values with some more spread, so that attention is sharp and no bias is 0. */
function startingPoint(head: Head, config: HeadConfig): Float32Array {
  const specs = head.parameters(config, CHECK_DIMS, CHECK_CLASSES);
  const rng = Rng.for('head check', 'parameters');
  return initialValues(specs, { weights: 1, labels: 2 }).map((value) => 1.5 * value + 0.1 * rng.normal());
}

async function run(engine: Engine, head: Head, config: HeadConfig, padding: CheckPadding): Promise<Pass> {
  const batch = await checkBatch(head, config, padding);
  engine.clearGradients();
  const { loss, logits } = await engine.gradients(batch);
  return {
    loss,
    logits: logits.slice(0, batch.ids.length * CHECK_CLASSES),
    gradient: engine.gradient.slice(),
  };
}

/** @throws Finding with the first thing that differs */
function agree(head: Head, config: HeadConfig, found: Pass, expected: Pass, tolerance: number): string {
  const worst = [relativeDifference(found.logits, expected.logits)];
  if ((worst[0] as number) > tolerance)
    throw new Finding(`logits differ by ${show(worst[0])} of their largest`);
  if (Math.abs(found.loss - expected.loss) > tolerance * Math.max(1, Math.abs(expected.loss)))
    throw new Finding(`loss ${found.loss} against ${expected.loss}`);
  const overall = expected.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const { name, offset, length } of parameterViews(head.parameters(config, CHECK_DIMS, CHECK_CLASSES))) {
    const part = (all: Float32Array): Float32Array => all.subarray(offset, offset + length);
    const difference = relativeDifference(part(found.gradient), part(expected.gradient), 1e-3 * overall);
    if (difference > 10 * tolerance)
      throw new Finding(`gradient of ${name} differs by ${show(difference)} of its largest`);
    worst.push(difference);
  }
  return `largest difference ${show(Math.max(...worst))}`;
}

async function checkAlone(engine: Engine, head: Head, config: HeadConfig, together: Pass): Promise<string> {
  let worst = 0;
  for (const item of [0, 2]) {
    const { logits } = await engine.forward(await checkBatch(head, config, { only: [item] }));
    const withoutDropout = await engine.forward(await checkBatch(head, config));
    const rows = withoutDropout.logits.subarray(item * CHECK_CLASSES, (item + 1) * CHECK_CLASSES);
    worst = Math.max(worst, relativeDifference(logits.subarray(0, CHECK_CLASSES), rows));
  }
  if (worst > PADDING_CHANGES)
    throw new Finding(`an utterance alone gets other logits than among others: by ${show(worst)}`);
  return `largest difference ${show(worst)} (of ${together.logits.length / CHECK_CLASSES} utterances)`;
}

async function checkAbsent(engine: Engine, head: Head, config: HeadConfig): Promise<string> {
  const absent = { text: [0, 4], audio: [2, 4] };
  const first = await run(engine, head, config, { absent });
  if (![first.loss, ...first.logits, ...first.gradient].every(Number.isFinite))
    throw new Finding('not finite where all of a mask is 0: divide by max(1, real steps)');
  const second = await run(engine, head, config, { absent, junk: 3, audio: 4, text: 2 });
  return agree(head, config, second, first, PADDING_CHANGES);
}

/** Largest difference, relative to the largest expected value (or to `floor`). */
function relativeDifference(found: Float32Array, expected: Float32Array, floor = 0): number {
  let [difference, largest] = [0, floor];
  expected.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    const own = Math.abs((found[i] as number) - value);
    if (!(own <= difference)) difference = own;
  });
  return largest === 0 ? difference : difference / largest;
}

const show = (value: number | undefined): string => (value ?? NaN).toExponential(1);

function oneLine(error: unknown): string {
  if (error instanceof UserErrors) return error.problems.join('; ');
  return error instanceof Error ? (error.message.split('\n')[0] as string) : String(error);
}
