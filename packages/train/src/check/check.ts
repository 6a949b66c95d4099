import { Rng } from '@lsgmer/datasets';
import { Assembler } from '../batches/assemble.ts';
import { type MicroBatch, planPass } from '../batches/epoch.ts';
import { chooseShapes } from '../batches/shapes.ts';
import { type FeatureInput, featureDims, type Joined, roomFor } from '../batches/source.ts';
import { trainStandards } from '../batches/standards.ts';
import { configure } from '../config/configuration.ts';
import { parameterViews } from '../engine/parameters.ts';
import { mean } from '../evaluate/metrics.ts';
import { lossOf, predict, type Prediction } from '../evaluate/predict.ts';
import { scorePredictions } from '../evaluate/summary.ts';
import type { ExperimentContext } from '../experiment/execute.ts';
import type { RunPlan, VariantPlan } from '../experiment/plan.ts';
import type { ExperimentRequest } from '../experiment/request.ts';
import { TrainingState } from '../fit/training-state.ts';
import type { Engine } from '../head/contract.ts';

/** What one check found. */
export interface CheckFinding {
  readonly name: string;
  readonly passed: boolean;
  /** One line: what was seen, what was expected, what to look at where it failed. */
  readonly text: string;
}

/** Utterances to be learnt by heart. */
const FEW = 32;
/** Utterances of the permuted training, and of its test. */
const SOME = 192;
/** Updates to learn the few by heart. */
const MOST_UPDATES = 300;
/** Passes over the permuted part. */
const PERMUTED_PASSES = 4;

/**
 * Trains on a few short utterances of a run, in well under a minute, and says whether what a sound training does
 * happens: the first loss is near ln N, the few are learnt by heart, labels that mean nothing give chance, each modality
 * matters, every parameter gets a gradient. Nothing is written.
 * @param patience seconds after which learning by heart counts as failed
 */
export async function checkTraining(
  request: ExperimentRequest,
  variant: VariantPlan,
  run: RunPlan,
  context: ExperimentContext,
  patience = 25,
): Promise<CheckFinding[]> {
  const { head, classes } = request;
  const dims = featureDims(variant.sources);
  const { values } = variant.request.configuration;
  // what makes learning by heart slow on purpose is off
  const off = {
    'modality.dropout': 0,
    'labels.smoothing': 0,
    'lr.warmup': 0,
    'lr.schedule': 'constant',
    'batch.size': FEW,
    'batch.accumulate': 1,
    lr: Math.max(values['lr'] as number, 1e-3),
  };
  const dropouts = Object.keys(values).filter((key) => key.endsWith('.dropout'));
  const set = { ...values, ...off, ...Object.fromEntries(dropouts.map((key) => [key, 0])) };
  const configuration = configure(head, [{ from: 'check', set }]);
  const engine = await request.engine.create(head, configuration.head, dims, classes.length);
  const bench = new Bench(request, variant, run, configuration, engine);
  try {
    const few = bench.pick(run.parts.train, FEW);
    const report = (done: number): void =>
      context.reporter.progress({ task: 'check', done, total: 3, unit: 'parts' });
    const first = await bench.start(few);
    const learnt = await bench.learn(few, context.now, patience);
    report(1);
    const modalities = await bench.withoutModalities(few);
    report(2);
    const chance = await bench.permuted();
    report(3);
    return [first, learnt.finding, learnt.gradients, ...modalities, chance];
  } finally {
    await engine.dispose();
  }
}

/** The things that the checks share. */
class Bench {
  private readonly request: ExperimentRequest;
  private readonly variant: VariantPlan;
  private readonly run: RunPlan;
  private readonly configuration: ReturnType<typeof configure>;
  private readonly engine: Engine;
  private readonly index: ReadonlyMap<string, number>;
  private state: TrainingState | undefined;

  constructor(
    request: ExperimentRequest,
    variant: VariantPlan,
    run: RunPlan,
    configuration: ReturnType<typeof configure>,
    engine: Engine,
  ) {
    this.request = request;
    this.variant = variant;
    this.run = run;
    this.configuration = configuration;
    this.engine = engine;
    this.index = new Map(variant.joined.rows.map((row, i) => [row.id, i]));
  }

  /** As many of each class as there are, short utterances first: they tell as much, sooner. */
  pick(rows: readonly { readonly id: string; readonly label: number }[], count: number): number[] {
    const cost = (item: number): number => {
      const { text, audio, map } = this.variant.joined.lengths[item] ?? { text: 0, audio: 0, map: 0 };
      return 2 * text + audio + map;
    };
    const groups = this.request.classes.map((_, label) =>
      rows
        .filter((row) => row.label === label)
        .map((row) => this.index.get(row.id) as number)
        .sort((a, b) => cost(a) - cost(b)),
    );
    const out: number[] = [];
    for (let turn = 0; out.length < count && groups.some((group) => turn < group.length); turn++)
      for (const group of groups)
        if (turn < group.length && out.length < count) out.push(group[turn] as number);
    return out;
  }

  /** The loss before any training. */
  async start(items: readonly number[]): Promise<CheckFinding> {
    this.reset();
    const found = await this.predict(items, this.variant.joined);
    const loss = mean(found.map(lossOf));
    const expected = Math.log(this.request.classes.length);
    const passed = Math.abs(loss - expected) < 0.25 * expected;
    return {
      name: 'first loss',
      passed,
      text:
        `first cross entropy ${loss.toFixed(3)}, ln ${this.request.classes.length} = ${expected.toFixed(3)}` +
        (passed
          ? ''
          : ': the features are far from unit scale, or a head starts too sure; try standardise=train'),
    };
  }

  /** Learns a few utterances by heart, watching every parameter's gradient. */
  async learn(
    items: readonly number[],
    now: () => number,
    patience: number,
  ): Promise<{ readonly finding: CheckFinding; readonly gradients: CheckFinding }> {
    const { engine } = this;
    const { head, classes } = this.request;
    const views = parameterViews(
      head.parameters(this.configuration.head, featureDims(this.variant.sources), classes.length),
    );
    const moved = new Set<string>();
    const started = now();
    let updates = 0;
    let right = 0;
    while (updates < MOST_UPDATES && right < items.length && now() - started < 1000 * patience) {
      await this.update(items, this.run.labels);
      if (updates < 5) {
        for (const { name, offset, length } of views)
          if (engine.gradient.subarray(offset, offset + length).some((x) => x !== 0)) moved.add(name);
      }
      (this.state as TrainingState).update(0);
      updates++;
      if (updates % 10 === 0) {
        const found = await this.predict(items, this.variant.joined);
        right = found.filter((one) => one.prediction === one.label).length;
      }
    }
    const still = views.map(({ name }) => name).filter((name) => !moved.has(name));
    const learnt = right === items.length;
    return {
      finding: {
        name: 'by heart',
        passed: learnt,
        text:
          `${right} of ${items.length} utterances learnt by heart in ${updates} updates` +
          (learnt ? '' : ': labels and features may not belong together, or lr is far off'),
      },
      gradients: {
        name: 'gradients',
        passed: still.length === 0,
        text:
          still.length === 0
            ? `every one of ${views.length} parameters gets a gradient`
            : `no gradient reaches ${still.join(', ')}: nothing in the loss depends on them`,
      },
    };
  }

  /** What the learnt head says when it sees one modality less. */
  async withoutModalities(items: readonly number[]): Promise<CheckFinding[]> {
    const { joined, sources } = this.variant;
    if (sources.text === undefined || sources.audio === undefined) return [];
    const whole = await this.predict(items, joined);
    const findings: CheckFinding[] = [];
    for (const [name, inputs] of [
      ['text', ['text']],
      ['audio', ['audio', 'map']],
    ] as const) {
      const lengths = joined.lengths.map((own) => ({
        ...own,
        ...Object.fromEntries(inputs.map((input: FeatureInput) => [input, 0])),
      }));
      const found = await this.predict(items, { ...joined, lengths });
      const right = found.filter((one) => one.prediction === one.label).length;
      const change = Math.max(
        ...found.flatMap(({ probabilities }, i) =>
          probabilities.map((p, k) => Math.abs(p - (whole[i]?.probabilities[k] as number))),
        ),
      );
      const passed = change > 1e-4;
      findings.push({
        name: `without ${name}`,
        passed,
        text:
          `without ${name} ${right} of ${items.length} are right, probabilities move by up to ${change.toFixed(3)}` +
          (passed ? '' : `: the head does not look at ${name}`),
      });
    }
    return findings;
  }

  /** Trains on labels that mean nothing; the test part must come out at chance. */
  async permuted(): Promise<CheckFinding> {
    const { train, test, dev } = this.run.parts;
    const items = this.pick(train, SOME);
    const seen = this.pick(test.length > 0 ? test : dev, SOME);
    const labels = Rng.for('check', this.run.seed).shuffle(
      items.map((item) => this.run.labels[item]?.label as number),
    );
    const rows = [...this.run.labels];
    items.forEach((item, i) => {
      rows[item] = { ...(rows[item] as (typeof rows)[number]), label: labels[i] as number };
    });
    this.reset();
    for (let pass = 0; pass < PERMUTED_PASSES; pass++) {
      for (let at = 0; at < items.length; at += FEW) {
        await this.update(items.slice(at, at + FEW), rows);
        (this.state as TrainingState).update(0);
      }
    }
    const found = await this.predict(seen, this.variant.joined);
    const { ua } = scorePredictions(found, this.request.classes.length);
    const chance = 1 / this.request.classes.length;
    // four standard errors of a mean of recalls, were each utterance a coin of its own
    const margin = 0.02 + 4 * Math.sqrt((chance * (1 - chance)) / seen.length);
    const passed = Math.abs(ua - chance) < margin;
    const share = (x: number): string => (100 * x).toFixed(1);
    return {
      name: 'permuted labels',
      passed,
      text:
        `permuted labels: UA ${share(ua)} on ${seen.length} others, chance ${share(chance)} within ${share(margin)}` +
        (passed ? '' : ': something beside the labels tells the class'),
    };
  }

  private reset(): void {
    const { head, classes } = this.request;
    const dims = featureDims(this.variant.sources);
    this.state = new TrainingState(
      head,
      this.configuration,
      dims,
      classes.length,
      this.run.seed,
      this.engine,
    );
  }

  /** Gradients of one update over these utterances. */
  private async update(items: readonly number[], rows: Joined['rows']): Promise<void> {
    const joined = { ...this.variant.joined, rows };
    const assembler = await this.assembler(items, joined);
    this.engine.clearGradients();
    let firstRow = 0;
    for (const micro of this.passOf(items, joined)) {
      const place = { rows: items.length, firstRow, dropout: { seed: this.run.seed, step: 0 } };
      const batch = await assembler.assemble(micro, place);
      await this.engine.gradients(batch);
      assembler.release(batch);
      firstRow += micro.items.length;
    }
  }

  private async predict(items: readonly number[], joined: Joined): Promise<Prediction[]> {
    const assembler = await this.assembler(items, joined);
    const truth = { ...joined, rows: this.variant.joined.rows };
    return predict(this.engine, assembler, this.passOf(items, joined), truth, this.request.classes.length);
  }

  private passOf(items: readonly number[], joined: Joined): MicroBatch[] {
    const own = items.map((item) => this.variant.joined.lengths[item] as Joined['lengths'][number]);
    const shapes = chooseShapes(roomFor(own, this.variant.sources), {
      ...this.configuration.trainer,
      batchShapes: 1,
    });
    return planPass(items, joined.lengths, shapes);
  }

  private async assembler(items: readonly number[], joined: Joined): Promise<Assembler> {
    const { sources } = this.variant;
    const standards =
      this.configuration.trainer.standardise === 'none'
        ? undefined
        : await trainStandards(sources, this.variant.joined, items);
    const { head, classes } = this.request;
    return new Assembler(head, this.configuration.head, classes.length, joined, sources, { standards });
  }
}
