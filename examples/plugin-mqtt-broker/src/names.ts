import { checkTopic, MicroError } from '@ts-micro/core';

/** What MQTT reads as its own in a level of a topic, and what it allows in no text at all; `%` is the escape. */
const notInLevels = /[%/+#$\p{Noncharacter_Code_Point}\p{Surrogate}]/gu;
const notInTexts = /[%\p{Control}\p{Noncharacter_Code_Point}\p{Surrogate}]/gu;

/** Returns the MQTT topic of a topic: each token is a level. Throws `invalid` for half of a surrogate pair. */
export function toMqttTopic(topic: string, who: string): string {
  const levels = topic.split('.').map((token) => escapeText(token, notInLevels, who));
  return levels.join('/');
}

/** Returns the filter of a pattern, which the members of a queue share. */
export function toMqttFilter(pattern: string, queue: string | undefined, who: string): string {
  const levels = toMqttTopic(pattern, who).split('/');
  // `#` alone stands for no level as well.
  const filter = levels.map((level) => ({ '*': '+', '>': '+/#' })[level] ?? level).join('/');
  return queue === undefined ? filter : `$share/${escapeText(queue, notInLevels, who)}/${filter}`;
}

/** Returns the topic of an MQTT topic. Throws `malformed` where it is that of no topic. */
export function fromMqttTopic(mqttTopic: string, who: string): string {
  const topic = mqttTopic.split('/').map(unescapeText).join('.');
  try {
    checkTopic(topic, who);
    if (toMqttTopic(topic, who) === mqttTopic) return topic;
  } catch {
    // Told below.
  }
  throw new MicroError('malformed', `${who}: ${JSON.stringify(mqttTopic)} is the MQTT topic of no topic`);
}

/** Returns headers as user properties. Throws `invalid` for half of a surrogate pair. */
export function toUserProperties(headers: Readonly<Record<string, string>>, who: string): Record<string, string> {
  // From entries, because `__proto__` is a header's name like any other.
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, escapeText(value, notInTexts, who)]));
}

/** Returns user properties as headers; of several with one name the last one. */
export function fromUserProperties(
  properties: Readonly<Record<string, string | string[]>> = {},
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, unescapeText([value].flat().at(-1) ?? '')]),
  );
}

function escapeText(text: string, signs: RegExp, who: string): string {
  try {
    return text.replaceAll(signs, encodeURIComponent);
  } catch {
    throw new MicroError('invalid', `${who}: ${JSON.stringify(text)} holds half of a surrogate pair`);
  }
}

function unescapeText(text: string): string {
  return text.replaceAll(/(?:%[\dA-F]{2})+/g, (signs) => {
    try {
      return decodeURIComponent(signs);
    } catch {
      // Written by somebody else.
      return signs;
    }
  });
}
