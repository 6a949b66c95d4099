// Real servers on loopback, and the transfers of services.test.ts over them: `make test-services`.
//
// nginx (WebDAV with and without PROPFIND, plain files), rclone (WebDAV) and OpenStack Swift (its S3 API, which checks
// signatures and digests). They are Debian packages: what is missing is installed as root, and that is said. Without
// root or apt, the tests of the servers that are missing are skipped, with the reason. Everything lives in one
// temporary folder and on free ports; exactly the processes that were started here are ended.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { nginxConfiguration, swiftConfigurations } from './configurations.mjs';

const NGINX = { command: 'nginx', packages: ['nginx-light', 'libnginx-mod-http-dav-ext'] };
const RCLONE = { command: 'rclone', packages: ['rclone'] };
const SWIFT = {
  command: 'swift-proxy-server',
  packages: ['swift-proxy', 'swift-account', 'swift-container', 'swift-object', 'memcached'],
};

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const has = (command) =>
  spawnSync('sh', ['-c', `command -v ${command}`], { env: { ...process.env, PATH } }).status === 0;

/** Installs what is missing, where that can be done. */
function install() {
  const missing = [NGINX, RCLONE, SWIFT]
    .filter(({ command }) => !has(command))
    .flatMap(({ packages }) => packages);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    console.log(`skipped: ${missing.join(' ')} cannot be installed here (that needs root and apt-get)`);
    return;
  }
  console.log(`installing with apt-get: ${missing.join(' ')}`);
  const quiet = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  const apt = (...args) => spawnSync('apt-get', ['-qq', ...args], quiet).status === 0;
  // services that the packages would start by themselves are not wanted
  if (!apt('update') || !apt('install', '-y', '--no-install-recommends', ...missing))
    console.log('skipped: apt-get failed');
}

const children = [];
let root;

function start(name, command, args, options = {}) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH },
    ...options,
  });
  let said = '';
  child.stderr.on('data', (bytes) => (said = (said + bytes).slice(-2000)));
  child.on('exit', (code, signal) => {
    if (!ending) console.log(`${name} ended (${code ?? signal}): ${said}`);
  });
  children.push(child);
  return child;
}

let ending = false;
async function end() {
  if (ending) return;
  ending = true;
  for (const child of children) if (child.exitCode === null) child.kill('SIGTERM');
  for (const child of children) {
    const ended = () => child.exitCode !== null || child.signalCode !== null;
    for (let i = 0; i < 50 && !ended(); i++) await pause(100);
    if (!ended()) child.kill('SIGKILL');
  }
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
}
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => void end().then(() => process.exit(130)));

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function answers(url, tries = 600) {
  for (let i = 0; i < tries; i++) {
    try {
      await (await fetch(url)).arrayBuffer();
      return true;
    } catch {
      await pause(100);
    }
  }
  return false;
}

async function startNginx() {
  const [port, bare] = [await freePort(), await freePort()];
  const folder = join(root, 'nginx');
  for (const name of ['dav', 'bare', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'nginx.conf'), nginxConfiguration(folder, port, bare, process.getuid?.() === 0));
  start('nginx', 'nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', join(folder, 'error.log')]);
  if (!(await answers(`http://127.0.0.1:${port}/`))) throw new Error('nginx does not answer');
  return {
    LSGMER_TEST_NGINX: `127.0.0.1:${port}`,
    LSGMER_TEST_NGINX_BARE: `127.0.0.1:${bare}`,
    LSGMER_TEST_NGINX_FILES: join(folder, 'dav'),
  };
}

async function startRclone() {
  const port = await freePort();
  const folder = join(root, 'rclone');
  mkdirSync(folder, { recursive: true });
  const login = ['--user', 'user', '--pass', 'pass word'];
  start('rclone', 'rclone', ['serve', 'webdav', folder, '--addr', `127.0.0.1:${port}`, ...login]);
  if (!(await answers(`http://127.0.0.1:${port}/`))) throw new Error('rclone does not answer');
  return { LSGMER_TEST_RCLONE: `127.0.0.1:${port}`, LSGMER_TEST_RCLONE_FILES: folder };
}

async function startSwift() {
  const folder = join(root, 'swift');
  const ports = { memcache: await freePort(), proxy: await freePort() };
  for (const kind of ['account', 'container', 'object']) ports[kind] = await freePort();
  mkdirSync(join(folder, 'devices', 'disk'), { recursive: true });
  for (const kind of ['account', 'container', 'object']) {
    const builder = join(folder, `${kind}.builder`);
    const ring = (...args) => execFileSync('swift-ring-builder', [builder, ...args], { stdio: 'ignore' });
    ring('create', '4', '1', '1');
    ring(
      'add',
      '--region',
      '1',
      '--zone',
      '1',
      '--ip',
      '127.0.0.1',
      '--port',
      String(ports[kind]),
      '--device',
      'disk',
      '--weight',
      '1',
    );
    ring('rebalance');
  }
  const account = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
  const root_ = account === 'root' ? ['-u', 'root'] : [];
  start('memcached', 'memcached', ['-l', '127.0.0.1', '-p', String(ports.memcache), ...root_]);
  for (const [name, text] of Object.entries(swiftConfigurations(folder, ports, account))) {
    const file = join(folder, `${name}.conf`);
    writeFileSync(file, text);
    start(`swift ${name}`, `swift-${name}-server`, [file]);
  }
  if (!(await answers(`http://127.0.0.1:${ports.proxy}/healthcheck`)))
    throw new Error('Swift does not answer');
  return { LSGMER_TEST_S3: `http://127.0.0.1:${ports.proxy}` };
}

install();
root = mkdtempSync(join(tmpdir(), 'lsgmer-services-'));
let code = 1;
try {
  const found = {};
  for (const [{ command }, begin] of [
    [NGINX, startNginx],
    [RCLONE, startRclone],
    [SWIFT, startSwift],
  ]) {
    if (has(command)) Object.assign(found, await begin());
    else console.log(`skipped: there is no ${command}`);
  }
  console.log(
    `running: ${Object.entries(found)
      .map(([name, value]) => `${name.slice(12)} ${value}`)
      .join(', ')}`,
  );
  const args = ['vitest', 'run', '--maxWorkers=1', 'test/services', ...process.argv.slice(2)];
  const tests = spawn('npx', args, { stdio: 'inherit', env: { ...process.env, ...found } });
  code = await new Promise((done) => tests.on('exit', (status) => done(status ?? 1)));
} finally {
  await end();
}
process.exit(code);
