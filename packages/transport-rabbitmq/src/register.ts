import { registerPlugin } from '@ts-micro/core';
import { accessPlugin } from '@ts-micro/kit';
import { rabbitmqTransport } from '@ts-micro/transport-rabbitmq';

registerPlugin('transport', 'rabbitmq', accessPlugin('rabbitmq', rabbitmqTransport, { vhost: 'the virtual host: /' }));
