import { UserError } from '../base/errors.ts';

/** A shard is not as it was written. Names the shard, where possible the row, and the command that mends it. */
export class DamageError extends UserError {
  /** Path of the shard. */
  readonly shard: string;
  /** Utterance whose row is damaged; null when the damage lies outside the feature values. */
  readonly id: string | null;
  /** What is wrong, without the place and the command. */
  readonly what: string;

  /** @param row position in the shard, where a single row is damaged. */
  constructor(shard: string, what: string, row?: { readonly position: number; readonly id: string }) {
    const where = row ? `${shard}, row ${row.position} (${row.id}),` : shard;
    super(`${where} is damaged: ${what}; run \`lsgmer features repair\``);
    this.what = what;
    this.shard = shard;
    this.id = row?.id ?? null;
  }
}
