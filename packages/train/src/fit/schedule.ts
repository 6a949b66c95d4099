import type { TrainerConfig } from '../config/trainer-options.ts';

/**
 * The factor of the learning rate, as transformers' get_*_schedule_with_warmup has it: it rises on a line from 0 over
 * the warm-up, and then stays, or falls to 0 at the end of training along half a cosine or a line.
 * @param progress updates done before this one, of all updates: in [0, 1)
 */
export function rateFactor(
  { schedule, warmup }: Pick<TrainerConfig, 'schedule' | 'warmup'>,
  progress: number,
): number {
  if (progress < warmup) return progress / warmup;
  const rest = (progress - warmup) / (1 - warmup);
  if (schedule === 'cosine') return 0.5 * (1 + Math.cos(Math.PI * rest));
  return schedule === 'linear' ? 1 - rest : 1;
}
