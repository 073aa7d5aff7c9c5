// Data messages between three pages: to all, to one, lossy, in bursts, and what is refused.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { sleep, until } from './lib/until.mjs';

const ROOM = 'data';

/** Runs in the page: keeps what comes. */
function collect() {
  window.got = [];
  window.failures = [];
  const { room } = window.plenum;
  room.on('data', ({ participant, topic, payload, reliable }) => {
    window.got.push({ from: participant?.name, topic, payload: typeof payload === 'string' ? payload : [...payload], reliable });
  });
  room.on('error', ({ code }) => window.failures.push(code));
}

const got = (person, topic) => person.page.evaluate((wanted) => window.got.filter((message) => message.topic === wanted), topic);

/** Sends; resolves with the code of the refusal, or null. */
const send = (person, payload, options) => person.page.evaluate(
  ([message, how]) => window.plenum.room.sendData(message, how).then(() => null, (error) => error.code), [payload, options],
);

describe('data messages', { timeout: 120_000 }, () => {
  let browser;
  let server;
  let people;
  let ada;
  let bob;
  let eve;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    people = await Promise.all(['Ada', 'Bob', 'Eve'].map((name) => Person.open(browser, server, name, { room: ROOM })));
    [ada, bob, eve] = people;
    await Promise.all(people.map((person) => person.join()));
    for (const person of people) {
      await until(`${person.name} sees two others`, () => person.page.evaluate(() => window.plenum.room.participants.size === 2));
      await person.page.evaluate(collect);
    }
    // Who has not opened its channels yet does not get messages: wait until everybody does.
    for (const [index, person] of people.entries()) {
      await until(`${person.name} reaches both others`, async () => {
        await send(person, 'here', { topic: 'hello' });
        const heard = await Promise.all(people.filter((other) => other !== person).map((other) => got(other, 'hello')));
        return heard.every((messages) => messages.some(({ from }) => from === ['Ada', 'Bob', 'Eve'][index]));
      });
    }
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('to all: each other page gets it once, with its sender', async () => {
    assert.equal(await send(ada, 'grüß Gott', { topic: 'all' }), null);
    const expected = [{ from: 'Ada', topic: 'all', payload: 'grüß Gott', reliable: true }];
    for (const person of [bob, eve]) await until(`${person.name} gets it`, async () => (await got(person, 'all')).length);
    await sleep(300);
    for (const person of [bob, eve]) assert.deepEqual(await got(person, 'all'), expected);
    assert.deepEqual(await got(ada, 'all'), [], 'not its sender');
  });

  test('to one: nobody else gets it', async () => {
    const identity = await ada.page.evaluate(() => [...window.plenum.room.participants.values()].find(({ name }) => name === 'Bob').identity);
    assert.equal(await send(ada, 'secret', { topic: 'one', to: [identity] }), null);
    await until('Bob gets it', async () => (await got(bob, 'one')).length === 1);
    await sleep(300);
    assert.deepEqual(await got(eve, 'one'), []);
    assert.equal(await send(ada, 'secret', { to: ['nobody'] }), 'unknownParticipant');
    assert.equal(await send(ada, 'secret', { to: [] }), 'unknownParticipant');
  });

  test('lossy and binary', async () => {
    await ada.page.evaluate(() => window.plenum.room.sendData(new Uint8Array([0, 255, 7]), { reliable: false, topic: 'lossy' }));
    await until('Eve gets it', async () => (await got(eve, 'lossy')).length === 1);
    assert.deepEqual(await got(eve, 'lossy'), [{ from: 'Ada', topic: 'lossy', payload: [0, 255, 7], reliable: false }]);
  });

  test('a burst within the limits arrives whole and in order', async () => {
    await sleep(1000); // a full allowance
    await ada.page.evaluate(() => Promise.all(Array.from({ length: 80 }, (_, i) => window.plenum.room.sendData(String(i), { topic: 'burst' }))));
    for (const person of [bob, eve]) {
      await until(`${person.name} gets all`, async () => (await got(person, 'burst')).length === 80);
      const payloads = (await got(person, 'burst')).map(({ payload }) => payload);
      assert.deepEqual(payloads, Array.from({ length: 80 }, (_, i) => String(i)));
    }
  });

  test('chat: by keyboard, with unread messages counted', async () => {
    const badge = () => ada.page.getAttribute('#tool-chat', 'aria-label');
    assert.equal(await badge(), 'Chat');
    await bob.page.keyboard.press('c');
    assert.equal(await bob.page.evaluate(() => document.activeElement.id), 'chat-text');
    await bob.page.keyboard.type('<b>Hello</b> c');
    await bob.page.keyboard.press('Enter');
    await until('Ada has an unread message', async () => (await badge()) === 'Chat, 1 unread');
    await ada.page.keyboard.press('c');
    assert.equal(await badge(), 'Chat');
    assert.equal(await ada.page.textContent('#chat-log'), 'Bob <b>Hello</b> c');
    assert.equal(await bob.page.textContent('#chat-log'), 'You <b>Hello</b> c');
    await ada.screenshot('chat');
    await ada.page.keyboard.press('Escape');
    assert.ok(await ada.page.isHidden('#chat'));
    assert.equal(await ada.page.evaluate(() => document.activeElement.id), 'tool-chat');
    await bob.page.keyboard.press('Escape');
  });

  test('a flood is cut, its sender is told, and others go on', async () => {
    await sleep(1000);
    await eve.page.evaluate(() => Promise.all(Array.from({ length: 1000 }, (_, i) => window.plenum.room.sendData(String(i), { topic: 'flood' }))));
    await until('Eve is told', () => eve.page.evaluate(() => window.failures.includes('tooManyMessages')));
    assert.equal(await send(bob, 'still here', { topic: 'after' }), null);
    await until('Ada hears Bob', async () => (await got(ada, 'after')).length === 1);
    const passed = (await got(ada, 'flood')).length;
    assert.ok(passed >= 100 && passed < 600, `${passed} of 1000 passed`);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const dropped = Number(/reason="data_too_fast"[^}]*\} (\d+)/.exec(metrics)?.[1]);
    assert.equal(dropped + passed, 1000);
    assert.match(metrics, /plenum_data_messages_total\{direction="out"\} [1-9]/);
    // The demo app shows the error; close it for what follows.
    await eve.page.keyboard.press('Escape');
  });

  test('too large is refused before it is sent', async () => {
    assert.equal(await send(ada, 'x'.repeat(16 * 1024 + 1), {}), 'tooLarge');
  });

  test('without the grant nothing is sent, and the server does not rely on the page', async () => {
    const page = await browser.newPage();
    await page.goto(`${server.url}/healthz`);
    const token = server.token(ROOM, 'mute', ['--no-publish']);
    const outcome = await page.evaluate(async ([url, theToken]) => {
      const { Room } = await import(`${url}/plenum.js`);
      const room = await Room.join({ url, token: theToken });
      const failures = [];
      room.on('error', ({ code }) => failures.push(code));
      const refused = await room.sendData('hi').then(() => null, (error) => error.code);
      room.grants = { ...room.grants, canPublishData: true }; // a page that lies to itself
      await room.sendData('hi', { topic: 'lie' });
      for (let i = 0; i < 100 && !failures.length; i += 1) await new Promise((resolve) => { setTimeout(resolve, 50); });
      await room.leave();
      return { refused, failures };
    }, [server.url, token]);
    assert.deepEqual(outcome, { refused: 'notPermitted', failures: ['notPermitted'] });
    assert.deepEqual(await got(ada, 'lie'), []);
    await page.close();
  });

  test('no page failed', () => {
    for (const person of people) assert.deepEqual(person.errors, []);
  });
});
