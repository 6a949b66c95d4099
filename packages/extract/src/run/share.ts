import { UserError, type Utterance } from '@lsgmer/datasets';

/** One of several equal shares of a corpus: the first is 1. */
export interface Share {
  readonly share: number;
  readonly of: number;
}

/** A share with a name of its own is also the name of the index part that is written. */
const SHARE = /^(\d+)\/(\d+)$/;

/**
 * Reads `--part`: `2/4` is a share, anything else the name of an index part.
 * @throws UserError for a share that is none
 */
export function parsePart(text: string): { readonly name: string; readonly share: Share | null } {
  const found = SHARE.exec(text);
  if (found === null) {
    if (text.includes('/')) throw new UserError(`part ${text}: expected a name, or a share such as 1/4`);
    return { name: text, share: null };
  }
  const [share, of] = [Number(found[1]), Number(found[2])];
  if (share < 1 || share > of)
    throw new UserError(`part ${text}: shares are numbered from 1 to ${of === 0 ? 'their count' : of}`);
  return { name: `share-${share}-of-${of}`, share: { share, of } };
}

/** Seconds that stand for a recording of unknown length, and for a row without one: its text costs something, too. */
const UNKNOWN_SECONDS = 5;
const TEXT_SECONDS = 0.2;

/**
 * The utterances of one share. Shares are disjoint, cover everything, and take about equally long: they are consecutive runs of
 * recordings (all segments of one stay together, so that it is decoded once), cut by seconds of sound. Depends on nothing but the
 * manifest. Pure.
 */
export function shareOf(utterances: readonly Utterance[], { share, of }: Share): Utterance[] {
  const costs = new Map<string, number>();
  let total = 0;
  for (const utterance of utterances) {
    const cost = costOf(utterance);
    costs.set(keyOf(utterance), (costs.get(keyOf(utterance)) ?? 0) + cost);
    total += cost;
  }
  const shares = new Map<string, number>();
  let before = 0;
  for (const [key, cost] of costs) {
    // By its middle: a recording goes to the share that most of it lies in.
    shares.set(key, Math.min(of - 1, Math.floor(((before + cost / 2) / total) * of)));
    before += cost;
  }
  return utterances.filter((utterance) => shares.get(keyOf(utterance)) === share - 1);
}

function keyOf({ id, media }: Utterance): string {
  return media === null ? `row ${id}` : `file ${media.path}`;
}

function costOf({ media }: Utterance): number {
  if (media === null) return TEXT_SECONDS;
  const { start = 0, end, seconds } = media;
  return TEXT_SECONDS + Math.max(0, (end ?? seconds ?? start + UNKNOWN_SECONDS) - start);
}
