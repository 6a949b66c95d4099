import { existsSync, statfsSync } from 'node:fs';
import { cpus, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { firstWritableStore } from '@lsgmer/datasets';
import { searchFfmpeg } from '@lsgmer/extract';
import { type DeviceReport, probeDevices, usableCores } from '@lsgmer/onnx/runtime';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../context.ts';
import { datasetsIn, knownCards } from '../dataset.ts';
import { plainTable } from '../ui/table.ts';
import { VERSION } from '../version.ts';

interface DoctorOptions extends CommonOptions {
  json: boolean;
}

interface Line {
  readonly what: string;
  readonly state: 'ok' | 'absent' | 'warning';
  readonly detail: string;
}

export const doctorCommand: CommandModule<object, DoctorOptions> = {
  command: 'doctor',
  describe: 'what this machine has: Node, memory, disk, ffmpeg, devices, stores, roots',
  builder: (y) =>
    y
      .option('json', { type: 'boolean', default: false, describe: 'as JSON on stdout' })
      .example('$0 doctor', ''),
  handler: async (options) => {
    const context = createContext(options);
    const lines = await examine(context);
    if (options.json) context.print(JSON.stringify({ version: VERSION, lines }));
    else context.print(plainTable(lines.map((line) => [line.what, line.state, line.detail])));
  },
};

async function examine(context: Context): Promise<Line[]> {
  return [
    nodeLine(),
    {
      what: 'processor',
      state: 'ok',
      detail: `${usableCores(process.env['SLURM_CPUS_PER_TASK'])} of ${cpus().length} cores usable, ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    },
    { what: 'memory', state: 'ok', detail: `${gib(freemem())} free of ${gib(totalmem())}` },
    ...(await ffmpegLine()),
    ...(await probeDevices()).map(deviceLine),
    ...storeLines(context),
    ...rootLines(context),
    { what: 'cards', state: 'ok', detail: knownCards().join(', ') },
  ];
}

function nodeLine(): Line {
  const major = Number(process.versions.node.split('.')[0]);
  const known = [20, 22, 24].includes(major);
  return {
    what: 'node',
    state: known ? 'ok' : 'warning',
    detail: `${process.versions.node}${known ? '' : ': lsgmer is tested on Node 20, 22 and 24'}`,
  };
}

function deviceLine({ device, available, reason, adapter, software }: DeviceReport): Line {
  const works = `works${adapter === '' ? '' : ` on ${adapter}`}`;
  return {
    what: device,
    state: available ? 'ok' : 'absent',
    detail: !available
      ? reason
      : software
        ? `${works}, no GPU but the processor: --device auto leaves it alone`
        : works,
  };
}

async function ffmpegLine(): Promise<Line[]> {
  const { found, tried } = await searchFfmpeg();
  if (found === undefined) {
    const detail = `only 16 kHz mono WAV can be read without (${tried.join('; ')}): install ffmpeg or set FFMPEG_PATH`;
    return [{ what: 'ffmpeg', state: 'absent', detail }];
  }
  return [{ what: 'ffmpeg', state: 'ok', detail: `${found.version} (by ${found.source}: ${found.path})` }];
}

function storeLines(context: Context): Line[] {
  const lines = context.stores.map((store): Line => {
    const there = existsSync(store);
    const datasets = datasetsIn([store]);
    const detail = there
      ? `${store}: ${datasets.join(', ') || 'empty'}`
      : `${store} (made when first written)`;
    return { what: 'store', state: 'ok', detail };
  });
  try {
    const store = firstWritableStore(context.stores);
    let folder = store;
    while (!existsSync(folder)) folder = dirname(folder);
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    lines.push({
      what: 'disk',
      state: free < 5 * 2 ** 30 ? 'warning' : 'ok',
      detail: `${gib(free)} free for ${store}`,
    });
  } catch (error) {
    lines.push({ what: 'disk', state: 'warning', detail: (error as Error).message });
  }
  lines.push({ what: 'runs', state: 'ok', detail: context.runs });
  return lines;
}

function rootLines(context: Context): Line[] {
  return Object.entries(context.local.roots).map(([dataset, root]) => ({
    what: `root of ${dataset}`,
    state: existsSync(root) ? 'ok' : 'absent',
    detail: root,
  }));
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
