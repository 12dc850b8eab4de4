import { diag, DiagLogLevel } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import {
  detectResources,
  envDetector,
  hostDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { programOf } from './program.js';
import { samplerOf } from './sampler.js';

/**
 * Registers the SDK: OTLP over HTTP, in batches, as the standard variables say (`OTEL_EXPORTER_OTLP_*`, `OTEL_BSP_*`,
 * `OTEL_TRACES_SAMPLER*`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`, `OTEL_LOG_LEVEL`, limits).
 */
export function startTracing(environment: NodeJS.ProcessEnv): void {
  tellTroubles(environment['OTEL_LOG_LEVEL']);
  // The stable names of attributes of databases; who wants the old ones says so.
  environment['OTEL_SEMCONV_STABILITY_OPT_IN'] ??= 'database';
  const { name, version } = programOf(process.argv[1]);
  const detected = detectResources({ detectors: [hostDetector, serviceInstanceIdDetector, envDetector] });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': name, 'service.version': version }).merge(detected),
    sampler: samplerOf(environment),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  registerInstrumentations({
    tracerProvider: provider,
    // What no span asked for, as timers and sweeps do all day, makes none.
    instrumentations: [new PgInstrumentation({ requireParentSpan: true })],
  });
}

const LEVELS: Readonly<Record<string, DiagLogLevel>> = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
};

/** On stderr: the log of the program is not open yet. */
function tellTroubles(level = 'info'): void {
  const write = (message: string, ...rest: unknown[]): void => {
    process.stderr.write(`OpenTelemetry: ${[message, ...rest].map(String).join(' ')}\n`);
  };
  const logger = { error: write, warn: write, info: write, debug: write, verbose: write };
  diag.setLogger(logger, { logLevel: LEVELS[level.toLowerCase()] ?? DiagLogLevel.INFO });
}
