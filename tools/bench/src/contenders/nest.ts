import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { firstValueFrom, timeout } from 'rxjs';
import { patienceMs } from '../harness/open-load.ts';
import { heavyAnswer } from '../harness/report/heavy-answer.ts';
import { answer, type Sample } from '../harness/report/sample.ts';
import type { Contender, ContenderClient } from './contender.ts';

let onNestEvent: (event: Sample) => void = () => {};

@Controller()
class BenchController {
  @MessagePattern('nest.echo')
  echo(request: Sample): Sample {
    return answer(request);
  }

  @MessagePattern('nest.heavy')
  heavy(request: Sample): Sample {
    return heavyAnswer(request);
  }

  @EventPattern('nest.events')
  event(event: Sample): void {
    onNestEvent(event);
  }
}

@Module({ controllers: [BenchController] })
class BenchModule {}

/** NestJS microservices with its NATS transporter. */
export const contender: Contender = {
  async serve({ address }, onEvent) {
    onNestEvent = onEvent;
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(BenchModule, {
      transport: Transport.NATS,
      options: { servers: [address] },
      logger: false,
    });
    await app.listen();
    return { close: () => app.close() };
  },

  async connect({ address }): Promise<ContenderClient> {
    const client = ClientProxyFactory.create({ transport: Transport.NATS, options: { servers: [address] } });
    await client.connect();
    return {
      call: (request) => firstValueFrom(client.send<Sample>('nest.echo', request)),
      callHeavy: (request) => firstValueFrom(client.send<Sample>('nest.heavy', request).pipe(timeout(patienceMs))),
      publish: (event) => void client.emit('nest.events', event),
      close: async () => client.close(),
    };
  },
};
