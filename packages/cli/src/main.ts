#!/usr/bin/env node
import { endOnSignals } from './early-stop.ts';

endOnSignals();
// what takes its time to load comes after that
await import('./run.ts');
