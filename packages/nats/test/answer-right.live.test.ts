import type { MicroError } from '@ts-micro/core';
import { AnswerRight, connectNats, type NatsConnection } from '@ts-micro/nats';
import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { recordingLogger } from './recording-logger.ts';

const within = { timeout: 15_000 };
const noBytes = new Uint8Array(0);

const configOf = (permissions: string) =>
  `authorization { users: [ { user: cli, password: c }, { user: svc, password: s, permissions: { ${permissions} } } ] }`;

const startServer = (permissions: string) => startNatsServer({ config: configOf(permissions) });

/** Answers what comes in on `ask` with that many messages, and has it judged where one is refused. */
async function answering(connection: NatsConnection, count = 1) {
  const lost: MicroError[] = [];
  const right = new AnswerRight({ connection, what: 'test', onLost: (error) => lost.push(error) });
  const published = new Map<string, number>();
  connection.onPublishDenied((subject, error) => {
    if (published.has(subject)) right.refused({ subject, error, published: () => published.get(subject) ?? 0 });
  });
  let asked = 0;
  await connection
    .subscribe('ask', {
      onMessage: ({ reply = '' }) => {
        right.sent();
        published.set(reply, count);
        for (let left = count; left > 0; left--) connection.publish(reply, noBytes);
        asked++;
      },
    })
    .confirm();
  return {
    right,
    lost,
    /** Asks for answers on these subjects, and waits until they were refused or not. */
    async ask(by: NatsConnection, replies: readonly string[]) {
      const end = asked + replies.length;
      for (const reply of replies) by.publish('ask', noBytes, { reply });
      await expect.poll(() => asked, within).toBe(end);
      await connection.flush();
      // It is judged after a round trip of its own.
      await connection.flush();
      await connection.flush();
    },
  };
}

const connect = (server: NatsServer, user: string) =>
  connectNats({ servers: server.url, user, password: user.slice(0, 1) });

test('is lost with the first answer where no subject may be answered, with the words of the server', async () => {
  await using server = await startServer('publish: { deny: ["_INBOX.>"] }');
  await using service = await connect(server, 'svc');
  await using client = await connect(server, 'cli');
  const { right, lost, ask } = await answering(service);
  await ask(client, [client.newInbox()]);
  await expect.poll(() => lost.length, within).toBe(1);
  expect(lost[0]).toMatchObject({
    code: 'unauthorized',
    message: expect.stringContaining('Permissions Violation for Publish to "_INBOX.'),
  });
  await expect(right.check()).rejects.toBe(lost[0]);
  // Where it is given back, it is found at the next check.
  await server.reload({ config: configOf('publish: ">"') });
  await expect.poll(() => right.check().then(() => 'there', String), within).toBe('there');
});

test('is not lost for a subject that a peer chose, as others may be answered', async () => {
  await using server = await startServer('publish: { deny: ["secret.>"] }');
  await using service = await connect(server, 'svc');
  await using client = await connect(server, 'cli');
  const { right, lost, ask } = await answering(service);
  await ask(client, ['secret.a', 'secret.b', 'secret.c', 'secret.d', 'secret.e']);
  await right.check();
  expect(lost).toEqual([]);
});

test('is not lost where the server allows answers only, and only some of them', async () => {
  await using server = await startServer('publish: [], subscribe: ">", allow_responses: { max: 5, expires: "1m" }');
  await using service = await connect(server, 'svc');
  await using client = await connect(server, 'cli');
  const { right, lost, ask } = await answering(service, 20);
  for (let round = 0; round < 5; round++) await ask(client, [client.newInbox(), client.newInbox()]);
  await right.check();
  expect(lost).toEqual([]);
});

test('is lost in mid-life with the first answer that is refused', async () => {
  await using server = await startServer('publish: ">"');
  await using service = await connect(server, 'svc');
  await using client = await connect(server, 'cli');
  const { right, lost, ask } = await answering(service);
  await ask(client, [client.newInbox(), client.newInbox()]);
  expect(lost).toEqual([]);
  await server.reload({ config: configOf('publish: { deny: ["_INBOX.>"] }') });
  await ask(client, [client.newInbox()]);
  await expect.poll(() => lost.length, within).toBe(1);
  await expect(right.check()).rejects.toBe(lost[0]);
});

test('is lost in mid-life once several in a row are refused, where its own subjects never were allowed', async () => {
  await using server = await startServer('publish: "reply.>"');
  await using service = await connect(server, 'svc');
  await using client = await connect(server, 'cli');
  const { lost, ask } = await answering(service);
  await ask(client, ['reply.a', 'reply.b']);
  await server.reload({ config: configOf('publish: "other"') });
  await ask(client, ['reply.a']);
  expect(lost).toEqual([]);
  await expect
    .poll(async () => {
      await ask(client, ['reply.c']);
      return lost.length;
    }, within)
    .toBe(1);
});

test('is tried without a line in the log', async () => {
  await using server = await startServer('publish: "reply.>"');
  const { logger, lines } = recordingLogger();
  await using service = await connectNats({ servers: server.url, user: 'svc', password: 's', logger });
  await using client = await connect(server, 'cli');
  const { ask } = await answering(service);
  await ask(client, ['reply.a']);
  expect(lines.filter(({ level }) => level === 'warn')).toEqual([]);
});
