// The page that the README prints works as printed, from an origin of its own.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const SECTION = README.split('\n## ').find((section) => section.startsWith('For the web developer'));
const SNIPPET = /```html\n([\s\S]*?)```/.exec(SECTION)[1];
/** What somebody will still read before trying. */
const MOST_LINES = 30;

/** Serves the page with the token of whoever `?who=` names. */
function serve(server) {
  const answer = (request, response) => {
    const who = new URL(request.url, 'http://localhost').searchParams.get('who');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    if (!who) return response.end();
    const page = SNIPPET.replaceAll('http://localhost:7880', `http://localhost:${server.httpPort}`);
    response.end(page.replace('PASTE IT HERE', server.token('tea', who)));
  };
  return new Promise((resolve) => {
    const pages = http.createServer(answer).listen(0, '127.0.0.1', () => resolve(pages));
  });
}

/** Runs in the page: whether each remote picture has a size, and how many frames it has shown. */
const pictures = () => [...document.querySelectorAll('#tiles video')].map((video) => ({
  width: video.videoWidth, frames: video.getVideoPlaybackQuality().totalVideoFrames,
}));

describe('the README for web developers', { timeout: 90_000 }, () => {
  let browser;
  let server;
  let pages;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    pages = await serve(server);
  });

  after(async () => {
    await browser?.close();
    pages?.close();
    await server?.stop();
  });

  const open = async (who) => {
    const page = await browser.newPage();
    page.mistakes = [];
    page.on('pageerror', (error) => page.mistakes.push(error));
    await page.goto(`http://localhost:${pages.address().port}/?who=${who}`);
    return page;
  };

  const seesOne = (page, what) => until(what, async () => {
    const seen = await page.evaluate(pictures);
    if (seen.length === 1 && seen[0].width > 0 && seen[0].frames >= 10) return seen;
    throw new Error(JSON.stringify({ seen, mistakes: page.mistakes.map(String) }));
  }, { timeout: 30_000 });

  test('is short and names what to replace', () => {
    assert.ok(SNIPPET.trimEnd().split('\n').length <= MOST_LINES);
    assert.match(SNIPPET, /http:\/\/localhost:7880\/plenum\.js/);
    assert.match(SNIPPET, /PASTE IT HERE/);
    assert.match(SECTION, /plenum token --dev --room tea --identity ada/);
  });

  test('two such pages see each other, whoever came first, and who leaves is gone', async () => {
    const ada = await open('ada');
    const bob = await open('bob');
    await Promise.all([seesOne(bob, 'Bob sees Ada'), seesOne(ada, 'Ada sees Bob')]);
    const cleo = await open('cleo'); // when both are there already
    await until('Cleo sees both', async () => (await cleo.evaluate(pictures)).filter(({ frames }) => frames >= 10).length === 2, { timeout: 30_000 });
    await cleo.close();
    await bob.close();
    await until('Bob is gone', async () => (await ada.evaluate(pictures)).length === 0);
    assert.deepEqual(ada.mistakes, []);
  });
});
