export { startEtcd } from './start-etcd.ts';
export { kafkaLibs, kafkaVersion, startKafka } from './start-kafka.ts';
export { startRabbitmq } from './start-rabbitmq.ts';
