/** What the standard variables say about traces: whether they are wanted, and why they cannot be had. */
export type Wanted = { readonly isWanted: boolean; readonly problem?: string };

/**
 * Traces are wanted where the environment says where to send them, or names the exporter. By the standard they would
 * go to localhost otherwise: a service without a collector would try in vain for ever.
 */
export function tracesWanted(environment: NodeJS.ProcessEnv): Wanted {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter } = environment;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ofTraces } = environment;
  if (disabled?.toLowerCase() === 'true' || exporter === 'none') return { isWanted: false };
  if (!exporter && !endpoint && !ofTraces) return { isWanted: false };
  if (exporter && exporter !== 'otlp') {
    return refused('OTEL_TRACES_EXPORTER', exporter, 'otlp or none');
  }
  const { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: own, OTEL_EXPORTER_OTLP_PROTOCOL: common } = environment;
  const protocol = own || common;
  if (!protocol || protocol === 'http/protobuf') return { isWanted: true };
  return refused(
    own ? 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL' : 'OTEL_EXPORTER_OTLP_PROTOCOL',
    protocol,
    'http/protobuf',
  );
}

function refused(variable: string, got: string, expected: string): Wanted {
  const problem = `${variable}: got ${JSON.stringify(got)}, expected ${expected}; no traces are sent`;
  return { isWanted: false, problem };
}
