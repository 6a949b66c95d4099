import { execFileSync } from 'node:child_process';

/**
 * Tests run on the sources, but some start the command line or an encoder process as a user's machine does:
 * these need what the build makes (incremental, about a second where nothing changed).
 */
export default function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
