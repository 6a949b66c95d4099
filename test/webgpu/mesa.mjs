// Mesa's software Vulkan driver (llvmpipe, "lavapipe"), version 25 or newer: the installed one, or Debian's packages
// unpacked into a cache folder, so that the system stays as it is.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Mesa 22, Debian 12's own, lacks what Dawn asks for. */
const OLDEST = 25;
const DRIVER = 'libvulkan_lvp.so';
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Environment variables under which the Vulkan loader finds the driver, and where it comes from.
 * @param {(line: string) => void} say
 * @returns {{ env: Record<string, string>, source: string } | { reason: string }}
 */
export function softwareVulkan(say) {
  if (process.platform !== 'linux')
    return { reason: 'Mesa for Linux is used, and this is ' + process.platform };
  if (process.env.VK_DRIVER_FILES) return { env: {}, source: process.env.VK_DRIVER_FILES };
  const installed = installedDriver();
  if (installed !== undefined) return installed;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lsgmer');
  const folder = join(cache, `mesa-${OLDEST}`);
  if (!existsSync(folder)) {
    const reason = fetchPackages(folder, say);
    if (reason !== '') return { reason };
  }
  const libraries = libraryFolder(folder);
  const path = [libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return {
    env: { VK_DRIVER_FILES: join(folder, 'driver.json'), LD_LIBRARY_PATH: path },
    source: `${folder} (${readFileSync(join(folder, 'version'), 'utf8').trim()})`,
  };
}

function installedDriver() {
  const version = command('dpkg-query', ['-W', '-f', '${Version}', 'mesa-vulkan-drivers']);
  const loader = /libvulkan\.so\.1/.test(command('ldconfig', ['-p']) || command('/sbin/ldconfig', ['-p']));
  const places = '/usr/share/vulkan/icd.d';
  const file = existsSync(places)
    ? readdirSync(places).find((name) => /^lvp_icd.*\.json$/.test(name))
    : undefined;
  if (!loader || file === undefined || parseInt(version, 10) < OLDEST) return undefined;
  return { env: { VK_DRIVER_FILES: join(places, file) }, source: `the installed Mesa ${version}` };
}

/** Debian's packages, by its own apt, into a folder. @returns why not, or an empty text */
function fetchPackages(folder, say) {
  for (const tool of ['apt-get', 'dpkg-deb'])
    if (command(tool, ['--version']) === '')
      return `Mesa ${OLDEST} or newer is not installed, and there is no ${tool} to fetch it`;
  const source = debianSource();
  if (source === undefined)
    return `Mesa ${OLDEST} or newer is not installed, and Debian's packages are fetched on Debian only: install mesa-vulkan-drivers`;
  const { uri, codename } = source;
  const draft = `${folder}.${process.pid}.tmp`;
  rmSync(draft, { recursive: true, force: true });
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'root'])
    mkdirSync(join(draft, part), { recursive: true });
  try {
    const signed = existsSync(KEYS) ? `[signed-by=${KEYS}] ` : '';
    const backports = codename === 'bookworm' ? [`${codename}-backports`] : [];
    const suites = [codename, ...backports].map((suite) => `deb ${signed}${uri} ${suite} main\n`);
    writeFileSync(join(draft, 'sources.list'), suites.join(''));
    const options = [
      `Dir::State=${join(draft, 'state')}`,
      'Dir::State::status=/var/lib/dpkg/status',
      `Dir::Cache=${join(draft, 'cache')}`,
      `Dir::Etc::sourcelist=${join(draft, 'sources.list')}`,
      'Dir::Etc::sourceparts=-',
      // no lock of the system's, and no other account: everything lies in this folder
      'Debug::NoLocking=1',
      'APT::Sandbox::User=',
    ].flatMap((option) => ['-o', option]);
    const apt = (...args) =>
      execFileSync('apt-get', [...options, '-qq', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    say(
      `fetching Debian's mesa-vulkan-drivers${backports.map((suite) => ` of ${suite}`).join('')} and what it needs into ${folder}`,
    );
    say('(by apt-get, 30 MB of lists and packages; nothing is installed, remove the folder to undo it)');
    apt('update');
    const wanted = `mesa-vulkan-drivers${backports.map((suite) => `/${suite}`).join('')}`;
    apt('install', '--download-only', '--no-install-recommends', '-y', wanted, 'libvulkan1');
    const archives = join(draft, 'cache', 'archives');
    const packages = readdirSync(archives).filter((name) => name.endsWith('.deb'));
    for (const name of packages) execFileSync('dpkg-deb', ['-x', join(archives, name), join(draft, 'root')]);
    const versions = packages.map((name) =>
      command('dpkg-deb', ['-f', join(archives, name), 'Package', 'Version']),
    );
    const mesa = versions.find((text) => text.includes('mesa-vulkan-drivers')) ?? '';
    const version = /Version: (.*)/.exec(mesa)?.[1] ?? '';
    if (!(parseInt(version, 10) >= OLDEST))
      return `Debian ${codename} has Mesa ${version || '?'} only, expected ${OLDEST} or newer`;
    rmSync(join(draft, 'state'), { recursive: true });
    rmSync(join(draft, 'cache'), { recursive: true });
    writeFileSync(join(draft, 'version'), `Mesa ${version}\n`);
    const driver = { file_format_version: '1.0.0', ICD: { library_path: DRIVER, api_version: '1.3.0' } };
    writeFileSync(join(draft, 'driver.json'), JSON.stringify(driver));
    renameSync(draft, folder);
    return '';
  } catch (error) {
    return `apt-get did not bring Mesa's driver (${String(error.stderr ?? error)
      .trim()
      .split('\n')
      .at(-1)})`;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** The mirror that this Debian gets its packages from, and its release. */
function debianSource() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(release)?.[1];
  if (!/^ID=debian$/m.test(release) || codename === undefined) return undefined;
  const format = '$(REPO_URI)|$(CODENAME)';
  const lines = command('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']).split('\n');
  const [uri] = lines.map((line) => line.split('|')).find(([, name]) => name === codename) ?? [];
  return uri === undefined ? undefined : { uri, codename };
}

/** Debian's multiarch folder of the unpacked driver. */
function libraryFolder(folder) {
  const libraries = join(folder, 'root', 'usr', 'lib');
  const name = readdirSync(libraries).find((one) => existsSync(join(libraries, one, DRIVER)));
  if (name === undefined) throw new Error(`${folder} holds no ${DRIVER}: remove it and try again`);
  return join(libraries, name);
}

/** What a command prints; nothing where it fails or is absent. */
function command(name, args) {
  const { status, stdout } = spawnSync(name, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}
