import { kafkaBroker } from '@ts-micro/broker-kafka';
import { registerPlugin } from '@ts-micro/core';
import { accessPlugin } from '@ts-micro/kit';

const own = {
  dialect: "go: Go Micro's envelope; native: plain values and headers",
  keyHeader: 'the header whose value is the key of a message',
};

registerPlugin('broker', 'kafka', accessPlugin('kafka', kafkaBroker, own));
