import type { Client } from '@ts-micro/service';
import { expect, show } from './tell.ts';

/** A server stream of three numbers, and a chat of two messages. */
export async function countAndChat(client: Client): Promise<void> {
  const values: number[] = [];
  await using count = await client.stream<{ to: number }, { value: number }>('greeter', 'Greeter.Count');
  await count.send({ to: 3 });
  for await (const { value } of count) values.push(value);
  show(`Greeter.Count to 3: ${values.join(' ')}`);
  expect(values.join() === '1,2,3', 'Greeter.Count counts');

  const texts: string[] = [];
  await using chat = await client.stream<{ text: string }, { text: string }>('greeter', 'Greeter.Chat');
  for (const text of ['hello', 'goodbye']) {
    await chat.send({ text });
    texts.push((await chat.receive())?.text ?? '');
  }
  await chat.end();
  show(`Greeter.Chat, hello and goodbye: ${texts.join(', ')}`);
  expect(texts.join() === 'HELLO,GOODBYE', 'Greeter.Chat answers upper-cased');
}
