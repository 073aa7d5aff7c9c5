// What users are told when something is wrong, and how calls survive the server.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';

const RED = [200, 40, 40];
const BLUE = [40, 70, 210];
const ADA = { colour: RED, tone: 440 };
const BOB = { colour: BLUE, tone: 880 };

describe('trouble', { timeout: 240_000 }, () => {
  let browser;
  let server;
  let people = [];

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = async (name, options) => {
    const person = await Person.open(browser, server, name, { room: 'trouble', ...options });
    people.push(person);
    return person;
  };

  const dialog = async (person, code) => {
    await person.page.waitForSelector(`#dialog[open][data-code="${code}"]`, { timeout: 20_000 });
    return { title: await person.page.textContent('#dialog-title'), text: await person.page.textContent('#dialog-text') };
  };

  const closeAll = async () => {
    await Promise.all(people.map((person) => person.close()));
    people = [];
  };

  test('a wrong token is named in a dialog', async () => {
    const eve = await open('Eve', { media: ADA, flags: { token: 'eyJhbGciOiJIUzI1NiJ9.bm9ib2R5.c2lnbmF0dXJl', autojoin: '1' } });
    const { title, text } = await dialog(eve, 'tokenInvalid');
    assert.match(title, /invitation/i);
    assert.match(text, /new link/i);
    assert.match(await eve.page.textContent('#dialog-body'), /token|JWT/i);
    await eve.screenshot('dialog-wrong-token');
    await eve.page.keyboard.press('Enter');
    await eve.page.waitForSelector('#dialog:not([open])', { state: 'attached' });
    assert.ok(await eve.page.isVisible('#lobby'));
    await closeAll();
  });

  for (const [deny, words] of [['NotAllowedError', /allow/i], ['NotFoundError', /no (camera|microphone)/i], ['NotReadableError', /busy|in use/i]]) {
    test(`without devices (${deny}) the lobby tells why and one can join all the same`, async () => {
      const bob = await open('Bob', { media: BOB });
      const nina = await open('Nina', { media: { ...ADA, deny } });
      await nina.page.waitForSelector('#device-notice:not([hidden])');
      assert.match(await nina.page.textContent('#device-notice'), words);
      await Promise.all([bob.join(), nina.join()]);
      await nina.sees('Bob', BLUE);
      await bob.tileIs('Nina', 'no-picture');
      await nina.page.click('#tool-camera');
      const code = { NotAllowedError: 'permissionDenied', NotFoundError: 'noCamera', NotReadableError: 'deviceBusy' }[deny];
      assert.match((await dialog(nina, code)).text, words);
      await closeAll();
    });
  }

  test('a server that cannot be reached is named in a dialog', async () => {
    const ada = await open('Ada', { media: ADA });
    await ada.page.waitForSelector('.has-picture');
    await server.stop('SIGKILL');
    await ada.page.click('#join');
    const { title } = await dialog(ada, 'serverUnreachable');
    assert.match(title, /cannot be reached/i);
    await server.start();
    await ada.page.click('[data-action="retry"]');
    await ada.inCall();
    await closeAll();
  });

  for (const signal of ['SIGTERM', 'SIGKILL']) {
    test(`when the server ends (${signal}) and comes back, so does the call`, async () => {
      const ada = await open('Ada', { media: ADA });
      const bob = await open('Bob', { media: BOB });
      await Promise.all([ada.join(), bob.join()]);
      await Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED)]);
      await server.stop(signal);
      for (const person of [ada, bob]) {
        await person.page.waitForSelector('#banner:not([hidden])', { timeout: 20_000 });
        assert.match(await person.page.textContent('#banner-text'), /reconnecting/i);
      }
      await ada.screenshot(`banner-${signal}`);
      await server.start();
      for (const person of [ada, bob]) await person.page.waitForFunction(() => window.plenum.room.state === 'connected', null, { timeout: 40_000 });
      await Promise.all([ada.sees('Bob', BLUE, { timeout: 40_000 }), bob.sees('Ada', RED, { timeout: 40_000 })]);
      await Promise.all([ada.hears('Bob', 880), bob.hears('Ada', 440)]);
      for (const person of [ada, bob]) {
        await person.page.waitForSelector('#banner', { state: 'hidden' });
        assert.equal(await person.page.textContent('#count'), '2 people');
        assert.deepEqual(person.errors, []);
      }
      await closeAll();
    });
  }
});
