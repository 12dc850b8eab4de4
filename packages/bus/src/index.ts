export { BUS, type Bus } from './bus.js';
export { checkNats } from './check-nats.js';
export { connectBus } from './connect-bus.js';
export { followStream, type StreamState } from './follow-stream.js';
export { ensureStreams } from './streams.js';
export { Replies, ConsumesEvents, type BusContext } from './handlers.js';
export { RequestReplyStrategy } from './request-reply.strategy.js';
export { JetStreamStrategy, type JetStreamStrategyOptions, type PoisonRecord } from './jetstream.strategy.js';
