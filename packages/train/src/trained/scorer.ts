import { Assembler } from '../batches/assemble.ts';
import { planPass } from '../batches/epoch.ts';
import { chooseShapes, covers } from '../batches/shapes.ts';
import {
  type FeatureSources,
  type Joined,
  joinFeatures,
  type LabelledId,
  roomFor,
} from '../batches/source.ts';
import { speakerStandards, type Standards } from '../batches/standards.ts';
import { analyse } from '../analysis/analyse.ts';
import type { AnalysisRow } from '../analysis/analysis-file.ts';
import { predict, type Prediction } from '../evaluate/predict.ts';
import type { EngineFactory } from '../experiment/request.ts';
import type { BatchShape, Engine, HostBatch } from '../head/contract.ts';
import { engineOf, readBy, type TrainedHead } from './trained-head.ts';

export interface ScorerOptions {
  readonly engine: EngineFactory;
  /** Every utterance of the corpus, for statistics by speaker. */
  readonly everyone?: readonly LabelledId[];
}

/** A trained head with features to read: says what it thinks of utterances. */
export class Scorer {
  readonly sources: FeatureSources;
  private readonly trained: TrainedHead;
  private readonly engine: Engine;
  private readonly standards: Standards | undefined;

  private constructor(
    trained: TrainedHead,
    sources: FeatureSources,
    engine: Engine,
    standards: Standards | undefined,
  ) {
    this.trained = trained;
    this.sources = sources;
    this.engine = engine;
    this.standards = standards;
  }

  /**
   * @param sources features at hand; the head's own are taken
   * @throws UserError where they have other widths than the head was trained on, or utterances have no speaker and
   *   the run standardises by speaker
   */
  static async open(trained: TrainedHead, sources: FeatureSources, options: ScorerOptions): Promise<Scorer> {
    const { used, dims } = readBy(trained, sources);
    const bySpeaker = trained.trainer.standardise === 'speaker';
    const standards = bySpeaker
      ? await speakerStandards(used, joinFeatures(options.everyone ?? [], used))
      : trained.standards;
    return new Scorer(trained, used, await engineOf(trained, options.engine, dims), standards);
  }

  /** Joins features as training did. @param partial keep utterances that lack one modality of two */
  join(rows: readonly LabelledId[], partial = false): Joined {
    return joinFeatures(rows, this.sources, partial);
  }

  /**
   * What the head says of every joined utterance. In batches of the shapes that training used, as long as they cover
   * the lengths, so that a test part gets the very bits that it got then.
   */
  score(joined: Joined): Promise<Prediction[]> {
    const { engine, trained } = this;
    return predict(engine, this.assembler(joined), this.pass(joined), joined, trained.classes.length);
  }

  /** What the head looks at (analysis.arrow). */
  analyse(joined: Joined, fold: string, predictions: readonly Prediction[]): Promise<AnalysisRow[]> {
    return analyse(this.engine, this.assembler(joined), this.pass(joined), joined, fold, predictions);
  }

  /**
   * Batches of the first utterances as a model of every shape takes them, with the engine's logits: one utterance
   * alone, and several with padding.
   */
  async samples(joined: Joined): Promise<{ readonly batch: HostBatch; readonly logits: Float32Array }[]> {
    const { head, config, classes } = this.trained;
    const plain = new Assembler(head, config, classes.length, joined, this.sources);
    const found = [];
    for (const count of [1, Math.min(6, joined.rows.length)]) {
      const items = Array.from({ length: count }, (_, i) => i);
      const lengths = roomFor(
        items.map((i) => joined.lengths[i] as Joined['lengths'][number]),
        this.sources,
      );
      const longest = (input: 'text' | 'audio' | 'map'): number =>
        Math.max(...lengths.map((own) => own[input]));
      const shape = { rows: count, text: longest('text'), audio: longest('audio'), map: longest('map') };
      const place = { rows: count, firstRow: 0 };
      const { logits } = await this.engine.forward(
        await this.assembler(joined).assemble({ shape, items }, place),
      );
      found.push({ batch: await plain.assemble({ shape, items }, place), logits });
    }
    return found;
  }

  async close(): Promise<void> {
    await this.engine.dispose();
  }

  private assembler(joined: Joined): Assembler {
    const { head, config, classes } = this.trained;
    return new Assembler(head, config, classes.length, joined, this.sources, { standards: this.standards });
  }

  private pass(joined: Joined): ReturnType<typeof planPass> {
    const items = joined.rows.map((_, i) => i);
    const lengths = roomFor(joined.lengths, this.sources);
    return planPass(items, lengths, this.shapes(lengths));
  }

  private shapes(lengths: Joined['lengths']): readonly BatchShape[] {
    const recorded = this.trained.run.shapes;
    const fit = recorded !== null && lengths.every((own) => recorded.some((shape) => covers(shape, own)));
    return fit ? recorded : chooseShapes(lengths, this.trained.trainer);
  }
}
