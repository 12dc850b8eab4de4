import { METRIC_NAMES } from '../../services/metrics-service/dist/reports/metric-names.js';
import { code, generatedNote, table } from './markdown.mjs';

/** `docs/metrics.md`: every metric with its field in the API and its name for Prometheus. */
export function renderMetrics() {
  const rows = METRIC_NAMES.map(({ metric, formula, api, prometheus }) => [
    metric,
    formula,
    api.map(place).join('; '),
    prometheus.map(code).join(' '),
  ]);
  return `${generatedNote('services/metrics-service/src/reports/metric-names.ts')}

# Metrics

metrics-service tells these over HTTP (\`GET /v1/metrics/…\`, [openapi.json](openapi.json)) and to Prometheus (\`/metrics\` on its operations port). Both come from the same rollups, so they agree with each other and, once everything is counted, with the tables of task-service. Over HTTP all go by \`window\`, \`agent\`, \`type\` and \`priority\`; for Prometheus counters hold all there ever was, and what is told of a window is told of the last hour. Every replica tells the same.

${table(['Metric', 'Formula', 'API', 'Prometheus'], rows)}

Counted are events, each once: a task that fails, is begun anew and completes has ended twice. What the stream did not bring is counted from the history: at the start, after the stream was lost, at a gap, and every minute. \`npm run metrics:rebuild\` forgets the figures and counts all of them anew. Only what agents had as slots (\`onlineSeconds\`, \`maxConcurrent\`) is in no history: it is kept over a rebuild, and what was missed counts from the moment it is noticed.

Commands that changed nothing, such as the late result of an attempt that is not the task's any more, are in no history: each replica of task-service counts them, by command and code, in \`baton_task_refusals_total\` (stale results: \`code=~"STALE_.*"\`); those of agents stand in the audit log.

Buckets are 10 s wide (kept for 2 hours), 1 min (2 days) and 1 h (400 days); a window begins at the beginning of one. What ended more than 30 days ago is no longer known task by task.
`;
}

function place(text) {
  const [path, fields] = text.split(': ');
  return `${code(path)}: ${fields.split(', ').map(code).join(', ')}`;
}
