export { applyHint } from '../fleet/fleet.fold.js';
export { createFleet, type Fleet, type FleetAgent } from '../fleet/fleet.state.js';
export { reserve, unreserve } from '../fleet/slots.fold.js';
export { applyLeases } from '../shards/ownership.fold.js';
export { POLICIES } from './policies.scoring.js';
export { createView, decideTask, type DecidedTask, type FleetView } from './task.decide.js';
