// The SDK as a project gets it: packed, installed, bundled.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('../../../crates/signaling/web', import.meta.url));
const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));
const TSC = path.join(MODULES, 'typescript/bin/tsc');

/** A project that has installed the package, with a copy of the examples in it. */
export class Project {
  folder = mkdtempSync(path.join(os.tmpdir(), 'plenum-package-'));

  constructor() {
    const npm = (...args) => execFileSync('npm', args, { cwd: this.folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    [this.packed] = JSON.parse(npm('pack', WEB, '--json'));
    this.write('package.json', JSON.stringify({ name: 'project', private: true, type: 'module' }));
    npm('install', '--offline', '--no-audit', '--no-fund', `./${this.packed.filename}`);
    for (const name of ['react', 'react-dom']) symlinkSync(path.join(MODULES, name), path.join(this.folder, 'node_modules', name));
    for (const example of ['react', 'typescript']) cpSync(path.join(WEB, 'examples', example), this.path(example), { recursive: true });
  }

  path(...parts) { return path.join(this.folder, ...parts); }

  write(file, text) { writeFileSync(this.path(file), text); }

  /** Checks files with the strictest rules; throws with what the compiler prints. */
  check(moduleResolution, ...files) {
    const module = moduleResolution === 'nodenext' ? 'nodenext' : 'esnext';
    const args = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable', '--module', module, '--moduleResolution', moduleResolution, ...files];
    try {
      execFileSync(process.execPath, [TSC, ...args], { cwd: this.folder, encoding: 'utf8' });
    } catch (error) {
      throw new Error(error.stdout);
    }
  }

  remove() { rmSync(this.folder, { recursive: true, force: true }); }
}
