import { connect, type Msg, type SubscriptionOptions } from 'nats';
import { answer, type Sample } from '../harness/report/sample.ts';
import { type Contender, type ContenderClient, type EventTopic, manySubscribers, queueMembers } from './contender.ts';
import { Multiplexer } from './multiplexer.ts';

/** A message of Go Micro's transport: the body in base64 inside JSON. */
interface Envelope {
  readonly Header: Readonly<Record<string, string>>;
  readonly Body: string;
}

/**
 * The hand-made multiplexer with the headers and the envelope that Go Micro puts around a call or an event, written the
 * simple way.
 */
export const contender: Contender = {
  async serve({ address, name }, onEvent) {
    const connection = await connect({ servers: address });
    const hear = (topic: EventTopic, options: SubscriptionOptions = {}): void => {
      const callback = (_error: unknown, message: Msg): void => onEvent(eventOf(message), topic);
      connection.subscribe(`${name}.${topic}`, { ...options, callback });
    };
    hear('events');
    for (let subscriber = 0; subscriber < manySubscribers; subscriber++) hear('many');
    for (let member = 0; member < queueMembers; member++) hear('shared', { queue: 'members' });
    const serve = (subject: string, handle: (body: Buffer) => string | Uint8Array): void => {
      connection.subscribe(`${name}.${subject}`, {
        callback: (_error, message) => respond(message, handle),
      });
    };
    serve('echo', (body) => JSON.stringify(answer(JSON.parse(body.toString()))));
    serve('bytes', (body) => body);
    await connection.flush();
    return { close: () => connection.close() };
  },

  async connect({ address, name }): Promise<ContenderClient> {
    const connection = await connect({ servers: address });
    const multiplexer = new Multiplexer(connection);
    let id = 0;
    const call = async (endpoint: string, contentType: string, body: string | Uint8Array): Promise<Buffer> => {
      const envelope: Envelope = { Header: requestHeaders(name, endpoint, contentType, id++), Body: base64(body) };
      const reply = parse(await multiplexer.request(`${name}.${endpoint}`, JSON.stringify(envelope)));
      return Buffer.from(reply.Body, 'base64');
    };
    return {
      async call(request): Promise<Sample> {
        return JSON.parse((await call('echo', 'application/json', JSON.stringify(request))).toString());
      },
      callBytes: (body) => call('bytes', 'application/octet-stream', body),
      publish(event, topic = 'events') {
        const Header = eventHeaders(`${name}.${topic}`, id++);
        connection.publish(`${name}.${topic}`, JSON.stringify({ Header, Body: base64(JSON.stringify(event)) }));
      },
      close: () => multiplexer.close(),
    };
  },
};

function requestHeaders(service: string, endpoint: string, contentType: string, id: number): Record<string, string> {
  return {
    Accept: contentType,
    'Content-Type': contentType,
    'Micro-Endpoint': endpoint,
    'Micro-ID': String(id),
    'Micro-Method': endpoint,
    'Micro-Service': service,
    Timeout: '5000000000',
  };
}

function eventHeaders(topic: string, id: number): Record<string, string> {
  return { 'Content-Type': 'application/json', 'Micro-Id': String(id), 'Micro-Topic': topic };
}

function eventOf(message: Msg): Sample {
  return JSON.parse(Buffer.from(parse(message.data).Body, 'base64').toString());
}

function respond(message: Msg, handle: (body: Buffer) => string | Uint8Array): void {
  const { Header, Body } = parse(message.data);
  const id = Header['Micro-ID'] ?? '';
  const envelope: Envelope = {
    Header: { 'Content-Type': Header['Content-Type'] ?? '', 'Micro-ID': id, 'X-Micro-ID': id },
    Body: base64(handle(Buffer.from(Body, 'base64'))),
  };
  message.respond(JSON.stringify(envelope));
}

function base64(body: string | Uint8Array): string {
  if (typeof body === 'string') return Buffer.from(body).toString('base64');
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64');
}

function parse(data: Uint8Array): Envelope {
  return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString());
}
