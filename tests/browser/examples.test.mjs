// The package installs and bundles, and every example runs.

import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as esbuild from 'esbuild';
import * as vite from 'vite';
import { launch } from './lib/browser.mjs';
import { Project } from './lib/package.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };

/** Serves what the bundlers made, from an origin of its own. */
function serve(project) {
  const answer = ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    try {
      const body = readFileSync(project.path('out', path.normalize(pathname)));
      response.setHeader('content-type', TYPES[path.extname(pathname)]).end(body);
    } catch {
      response.writeHead(404).end();
    }
  };
  return new Promise((resolve) => {
    const pages = http.createServer(answer).listen(0, '127.0.0.1', () => resolve(pages));
  });
}

describe('the package and the examples', { timeout: 180_000 }, () => {
  const project = new Project();
  let browser;
  let server;
  let pages;

  before(async () => {
    [server, browser, pages] = await Promise.all([Server.start(), launch(), serve(project)]);
  });

  after(async () => {
    await browser?.close();
    pages?.close();
    await server?.stop();
    project.remove();
  });

  /** Opens a page; what goes wrong in it fails the test that looks at it. */
  const open = async (url) => {
    const page = await browser.newPage();
    page.mistakes = [];
    page.on('pageerror', (error) => page.mistakes.push(String(error)));
    await page.goto(url);
    return page;
  };
  const example = (name) => open(`${server.url}/examples/${name}`);
  const bundled = (name, who) => open(`http://localhost:${pages.address().port}/${name}/index.html?${new URLSearchParams({ url: server.url, token: server.token('tea', who) })}`);
  /** Waits until so many pictures move in a page. */
  const plays = (page, count) => until(`${page.url()} plays ${count}`, async () => {
    const frames = await page.evaluate(() => [...document.querySelectorAll('video')].map((video) => video.getVideoPlaybackQuality().totalVideoFrames));
    if (frames.length === count && frames.every((number) => number >= 5)) return true;
    throw new Error(JSON.stringify({ frames, mistakes: page.mistakes, text: await page.textContent('body') }));
  });
  const fine = (...all) => { for (const page of all) assert.deepEqual(page.mistakes, [], page.url()); };

  test('the package holds the SDK and nothing else', () => {
    const files = project.packed.files.map(({ path: file }) => file);
    for (const file of ['LICENSE', 'README.md', 'package.json', 'plenum.d.ts', 'plenum.js', 'sdk/room.js']) assert.ok(files.includes(file), file);
    for (const file of files) assert.match(file, /^(LICENSE|README\.md|package\.json|plenum\.(d\.ts|js)|sdk\/[\w-]+\.js)$/);
    const { exports, version } = JSON.parse(readFileSync(project.path('node_modules/plenum-client/package.json'), 'utf8'));
    assert.equal(exports['.'].types, './plenum.d.ts');
    assert.match(readFileSync(project.path('node_modules/plenum-client/sdk/version.js'), 'utf8'), new RegExp(`'${version}'`));
  });

  test('its types pass the strictest checks', () => project.check('nodenext', 'typescript/main.ts'));

  test('what the types forbid is refused, and nothing else', () => {
    project.write('wrong.ts', "import { Room } from 'plenum-client';\nnew Room({}).on('publishd', () => {});\n");
    assert.throws(() => project.check('bundler', 'typescript/main.ts', 'wrong.ts'), ({ message }) => {
      assert.match(message, /^wrong\.ts.*publishd/);
      assert.doesNotMatch(message, /main\.ts/);
      return true;
    });
  });

  test('minimal.html is the page of the README', () => {
    const rest = (text) => text.slice(text.indexOf('  const show ='), text.indexOf('</script>', text.indexOf('  const show =')));
    const repository = new URL('../../', import.meta.url);
    const minimal = rest(readFileSync(new URL('crates/signaling/web/examples/minimal.html', repository), 'utf8'));
    assert.ok(minimal.length > 500);
    assert.equal(minimal, rest(readFileSync(new URL('README.md', repository), 'utf8')));
  });

  test('every page of the index is there', async () => {
    const index = await example('');
    const links = await index.evaluate(() => [...document.links].map(({ href }) => href));
    assert.ok(links.length >= 7);
    for (const link of links) assert.equal((await fetch(link)).status, 200, link);
    await index.click('text=SDK >> nth=-1');
    await index.waitForSelector('h2:has-text("Errors")');
    assert.deepEqual(await index.locator('th:first-child').allTextContents(), ['option', 'method', 'event', 'code']);
    fine(index);
    await index.close();
  });

  test('minimal.html: two of them see each other', async () => {
    const [ada, bob] = await Promise.all([example('minimal.html'), example('minimal.html')]);
    await Promise.all([plays(ada, 1), plays(bob, 1)]);
    fine(ada, bob);
    await Promise.all([ada.close(), bob.close()]);
  });

  test('whip.html publishes, whep.html plays it, and so does the TypeScript bundle of esbuild', async () => {
    await esbuild.build({ entryPoints: [project.path('typescript/main.ts')], outfile: project.path('out/typescript/main.js'), bundle: true, format: 'esm', target: 'es2022', minify: true, logLevel: 'error' });
    await esbuild.build({ entryPoints: [project.path('typescript/index.html')], outdir: project.path('out/typescript'), loader: { '.html': 'copy' } });
    const whep = await example('whep.html'); // waits until somebody publishes
    const whip = await example('whip.html');
    const viewer = await bundled('typescript', 'viewer');
    await Promise.all([plays(whip, 1), plays(whep, 1), plays(viewer, 1)]);
    await until('figures', async () => /\d+ × \d+, \d+ fps, [1-9]\d* kbit\/s/.test(await viewer.textContent('figcaption')));
    fine(whip, whep, viewer);
    await whip.close();
    await until('the encoder is gone', async () => await viewer.locator('video').count() === 0);
    await Promise.all([whep.close(), viewer.close()]);
  });

  test('a bad token is told by the TypeScript example in words of its own', async () => {
    const page = await open(`http://localhost:${pages.address().port}/typescript/index.html?url=${server.url}&token=nonsense`);
    await until('the sentence', async () => await page.textContent('#state') === 'Ask for a new link.');
    await page.close();
  });

  test('the React example, bundled by vite, joins once in strict mode and leaves with its component', async () => {
    await vite.build({
      root: project.path('react'), base: '/react/', configFile: false, logLevel: 'error',
      esbuild: { jsx: 'automatic' }, build: { outDir: project.path('out/react'), assetsDir: '.', target: 'es2022' },
    });
    const minimal = await example('minimal.html');
    const react = await bundled('react', 'react');
    await Promise.all([plays(react, 1), plays(minimal, 1)]);
    assert.match(await react.textContent('p'), /^tea: connected/);
    await react.click('text=Stop video');
    await react.waitForSelector('text=Start video');
    fine(react, minimal);
    await react.close();
    await until('it is gone', async () => await minimal.locator('video').count() === 0);
    await minimal.close();
  });

  test('a bundle encrypts, with the worker that vite finds and with one that esbuild makes', async () => {
    project.write('e2ee.js', `import { Room } from 'plenum-client';
      const { url, token, worker } = Object.fromEntries(new URLSearchParams(location.search));
      const room = await Room.join({ url, token, e2ee: { passphrase: 'bundled', ...(worker ? { worker: () => new Worker(worker, { type: 'module' }) } : {}) } });
      document.body.textContent = \`encrypted: \${room.encrypted}\`;`);
    project.write('e2ee.html', '<!doctype html><body><script type="module" src="./e2ee.js"></script>');
    await vite.build({
      root: project.folder, base: '/e2ee-vite/', configFile: false, logLevel: 'error',
      build: { outDir: project.path('out/e2ee-vite'), assetsDir: '.', target: 'es2022', rollupOptions: { input: project.path('e2ee.html') } },
    });
    await esbuild.build({
      entryPoints: { e2ee: project.path('e2ee.js'), worker: project.path('node_modules/plenum-client/sdk/e2ee-worker.js') },
      outdir: project.path('out/e2ee-esbuild'), bundle: true, format: 'esm', target: 'es2022', minify: true, logLevel: 'error',
    });
    cpSync(project.path('e2ee.html'), project.path('out/e2ee-esbuild/e2ee.html'));
    for (const [folder, more] of [['e2ee-vite', {}], ['e2ee-esbuild', { worker: '/e2ee-esbuild/worker.js' }]]) {
      const query = new URLSearchParams({ url: server.url, token: server.token('tea', folder), ...more });
      const page = await open(`http://localhost:${pages.address().port}/${folder}/e2ee.html?${query}`);
      await until(`${folder} joins`, async () => (await page.textContent('body')) === 'encrypted: true' || Promise.reject(new Error(JSON.stringify(page.mistakes))));
      fine(page);
      await page.close();
    }
    // Without the worker nothing is sent: joining fails and says why.
    const page = await open(`http://localhost:${pages.address().port}/e2ee-esbuild/e2ee.html?${new URLSearchParams({ url: server.url, token: server.token('tea', 'none') })}`);
    await until('the reason', async () => page.mistakes.some((mistake) => /worker of the SDK does not load/.test(mistake)));
    await page.close();
  });

  test('obs.html prints an address and a token that the server takes', async () => {
    const page = await example('obs.html');
    await until('the token', async () => (await page.textContent('#token')).length > 100);
    const [endpoint, token] = [await page.textContent('#server'), await page.textContent('#token')];
    const publish = async ([url, bearer]) => {
      const pc = new RTCPeerConnection();
      const transceiver = pc.addTransceiver('video', { direction: 'sendonly' });
      const codecs = RTCRtpSender.getCapabilities('video').codecs;
      transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === 'video/H264'));
      await pc.setLocalDescription();
      const answer = await fetch(url, { method: 'POST', body: pc.localDescription.sdp, headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/sdp' } });
      return { status: answer.status, text: await answer.text() };
    };
    const { status, text } = await page.evaluate(publish, [endpoint, token]);
    assert.equal(status, 201, text);
    assert.match(text, /a=rtpmap:\d+ H264\/90000/);
    await page.close();
  });
});
