// The types, the reference and the code of the SDK name the same things.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import ts from 'typescript';

const WEB = new URL('../../crates/signaling/web/', import.meta.url);
const read = (file) => readFileSync(new URL(file, WEB), 'utf8');
const types = ts.createSourceFile('plenum.d.ts', read('plenum.d.ts'), ts.ScriptTarget.Latest, true);
const reference = read('README.md');
const sources = readdirSync(new URL('sdk/', WEB)).map((file) => read(`sdk/${file}`)).join('\n');
const protocol = readFileSync(new URL('../PROTOCOL.md', WEB), 'utf8');
const sdk = await import(new URL('plenum.js', WEB));

const declaration = (name) => types.statements.find((statement) => statement.name?.text === name);
const nameOf = (member) => member.name?.getText() ?? 'constructor';
const documented = (node) => ts.getJSDocCommentsAndTags(node).length > 0;
const sorted = (names) => [...new Set(names)].sort();
/** String literals in a type. */
const literals = (name) => [...declaration(name).type.getText().matchAll(/'(\w+)'/g)].map(([, code]) => code);
const mentions = (name) => new RegExp(`\\b${name}\\b`).test(reference);

/** Methods and properties of an object that are not internal. */
function surface(object) {
  const names = new Set();
  for (let at = object; at && at !== Object.prototype && at !== Error.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) if (!name.startsWith('_') && name !== 'constructor') names.add(name);
  }
  return names;
}

/** One of each class, made without a browser. */
function instances() {
  globalThis.MediaStream = class {};
  const track = Object.assign(new EventTarget(), { id: 't', kind: 'video', contentHint: '', getSettings: () => ({}) });
  const room = new sdk.Room({});
  const participant = new sdk.RemoteParticipant({ id: 'PA_1', identity: 'ada' });
  return {
    Room: room, RemoteParticipant: participant, LocalPublication: new sdk.LocalPublication(room, track, {}),
    RemotePublication: new sdk.RemotePublication(participant, { id: 'PU_1', trackId: 't', kind: 'video', source: 'camera' }),
    PlenumError: new sdk.PlenumError('closed', '', new Error('why')),
  };
}

describe('the surface of the SDK', () => {
  test('the module exports what the types declare', () => {
    const values = types.statements.filter((s) => ts.isClassDeclaration(s) || ts.isFunctionDeclaration(s)).map(nameOf);
    const constants = types.statements.filter(ts.isVariableStatement).flatMap((s) => s.declarationList.declarations.map(nameOf));
    assert.deepEqual(sorted(Object.keys(sdk)), sorted([...values, ...constants]));
    for (const name of Object.keys(sdk)) assert.ok(mentions(name), `the reference lacks ${name}`);
  });

  for (const [name, object] of Object.entries(instances())) {
    test(`${name} has what its type has`, () => {
      const inherited = name === 'PlenumError' ? ['name', 'message', 'stack'] : [];
      const members = declaration(name).members.filter((member) => !ts.isConstructorDeclaration(member));
      const declared = members.filter((member) => !member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword)).map(nameOf);
      assert.deepEqual(sorted([...surface(object)].filter((it) => !inherited.includes(it))), sorted(declared));
      for (const member of members.filter(ts.isMethodDeclaration)) {
        assert.ok(documented(member), `${name}.${nameOf(member)} has no comment`);
        assert.ok(mentions(nameOf(member)), `the reference lacks ${nameOf(member)}`);
      }
    });
  }

  test('events', () => {
    const declared = declaration('RoomEvents').members;
    const emitted = [...sources.matchAll(/_emit\('(\w+)'/g)].map(([, name]) => name);
    assert.deepEqual(sorted(emitted), sorted(declared.map(nameOf)));
    for (const event of declared) {
      assert.ok(documented(event), `the event ${nameOf(event)} has no comment`);
      assert.ok(mentions(nameOf(event)), `the reference lacks the event ${nameOf(event)}`);
    }
  });

  test('details of events', () => {
    for (const [, event, fields] of sources.matchAll(/_emit\('(\w+)', \{([^.}]+)\}/g)) {
      const sent = fields.split(',').map((field) => field.split(':')[0].trim());
      const { members } = declaration('RoomEvents').members.find((it) => nameOf(it) === event).type;
      assert.deepEqual(sorted(sent), sorted(members.map(nameOf)), event);
    }
  });

  test('statistics', async () => {
    const { Stats } = await import(new URL('sdk/stats.js', WEB));
    const reports = new Map([['out', { id: 'out', type: 'outbound-rtp', mid: '1' }]]);
    const binding = { publication: { id: 'TR_1', source: 'camera' }, participant: { id: 'PA_1' }, layer: null, reason: 'off' };
    const stats = new Stats().condense(reports, [{ mid: '0', kind: 'video', binding }], [{ id: 'TR_2', _transceiver: { mid: '1' } }]);
    const shapes = { RoomStats: stats, ConnectionStats: stats.connection, RemoteStats: stats.remotes[0], PublicationStats: stats.publications[0], EncodingStats: stats.publications[0].encodings[0] };
    for (const [name, object] of Object.entries(shapes)) assert.deepEqual(sorted(Object.keys(object)), sorted(declaration(name).members.map(nameOf)), name);
  });

  test('options of a room', () => {
    for (const option of declaration('RoomOptions').members) {
      assert.ok(documented(option), `${nameOf(option)} has no comment`);
      assert.ok(mentions(nameOf(option)), `the reference lacks the option ${nameOf(option)}`);
    }
  });

  test('error codes', async () => {
    const { SENTENCES } = await import(new URL('sdk/errors.js', WEB));
    const client = literals('ClientErrorCode');
    const server = literals('ServerErrorCode');
    const raised = [...sources.matchAll(/new PlenumError\('(\w+)'/g)].map(([, code]) => code);
    const known = new Set([...client, ...server]);
    for (const code of [...Object.keys(SENTENCES), ...raised]) assert.ok(known.has(code), `the types lack the code ${code}`);
    for (const code of client) assert.ok(SENTENCES[code] || raised.includes(code), `nothing raises ${code}`);
    for (const code of server) assert.ok(protocol.includes(`\`${code}\``) || protocol.includes(`"${code}"`), `PROTOCOL.md lacks ${code}`);
    for (const code of known) assert.ok(mentions(code), `the reference lacks the code ${code}`);
  });
});
