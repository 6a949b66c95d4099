// A benchmark's side: a process that is started once and then answers a line of JSON to each line that it gets.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export const median = (xs) => {
  const s = [...xs].sort((a, b) => a - b);
  return s.length % 2 ? s[s.length >> 1] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2;
};

export function startSide({ name, command }) {
  const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on('exit', (code) => {
    if (code) {
      console.error(`bench: '${name}' ended with code ${code}: ${command.join(' ')}`);
      process.exit(2);
    }
  });
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} stopped answering`);
    return JSON.parse(value);
  };
  return { name, ask, end: () => child.stdin.end(), times: [] };
}
