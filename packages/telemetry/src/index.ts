export { ATTRIBUTES } from './attributes.js';
export { apart, beginSpan, inSpan, type OpenSpan } from './in-span.js';
export { contextsIn, type Traceparent } from './trace-context.js';
export { activeTraceparent, endTracing, isTracing } from './tracing.js';
