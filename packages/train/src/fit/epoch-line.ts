import type { MetricKey } from '../evaluate/metrics.ts';
import type { EpochTiming } from '../record/run-folder.ts';
import type { EpochRecord } from '../record/run-state.ts';

/**
 * One epoch as a line: losses, metric on dev (on train where there is no dev part; never on test), gradient, gate,
 * labels, speed, time left.
 * @param left seconds until the run is done, at the pace of this epoch
 */
export function epochLine(
  title: string,
  epochs: number,
  record: EpochRecord,
  { timing, left }: { readonly timing: EpochTiming; readonly left: number },
  metric: MetricKey,
): string {
  const { epoch, loss, ce, apc, dev, trainWa, gradientNorm, gate, labelMovement } = record;
  const name = metric.toUpperCase();
  const share = (value: number): string => (100 * value).toFixed(1);
  return [
    `${title}  epoch ${epoch}/${epochs}`,
    `loss ${loss.toFixed(4)} (CE ${ce.toFixed(4)}, APC ${apc.toFixed(4)})`,
    `train WA ${share(trainWa)}`,
    ...(dev === null ? [] : [`dev ${name} ${share(dev[metric])}`]),
    `gradient ${gradientNorm.toPrecision(3)}`,
    ...(gate === null ? [] : [`gate audio ${gate[0].toFixed(2)}`]),
    ...(labelMovement === null ? [] : [`labels moved ${(100 * labelMovement).toPrecision(2)} %`]),
    `${timing.utterancesPerSecond.toFixed(0)} utt/s`,
    epoch < epochs ? `${timeText(left)} left` : 'done',
  ].join('  ');
}

function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
