import { describeSettings, serviceSettings } from '../../packages/runtime/dist/index.js';
import { stackSettings } from '../../packages/stack/dist/settings.js';
import { configSchema as distribution } from '../../services/distribution-service/dist/config.js';
import { configSchema as metrics } from '../../services/metrics-service/dist/config.js';
import { configSchema as task } from '../../services/task-service/dist/config.js';
import { code, generatedNote, table } from './markdown.mjs';

const source = 'services/*/src/config.ts, packages/runtime and packages/stack/src/settings.ts';
const services = [
  ['task-service', describeSettings(task)],
  ['distribution-service', describeSettings(distribution)],
  ['metrics-service', describeSettings(metrics)],
];
const isShared = ({ name }) => name in serviceSettings;
const sections = [
  { title: 'Every service', settings: services[0][1].filter(isShared) },
  ...services.map(([title, settings]) => ({
    title,
    settings: settings.filter((setting) => !isShared(setting)),
  })),
  { title: 'npm start and npm run demo', settings: stackSettings },
];

/** `docs/configuration.md`: every setting by who reads it. */
export function renderConfiguration() {
  return `${generatedNote(source)}

# Configuration

Everything is set by environment variables; there are no configuration files. An empty variable counts as not set. A
process that finds something wrong tells all of it at once, with what came, what was expected and an example, and exits
with status 1. A \`BATON_*\` variable that no part of Baton reads is wrong too: a misspelt setting would be ignored
silently. Variables of other parts may be there, so that one environment can serve them all.

A **secret** is never shown, and may be given as the path of a file instead: \`DATABASE_URL_FILE=/run/secrets/database\`.
One line break at the end of the file does not count. [.env.example](../.env.example) lists the same settings, to copy
from; Baton itself reads no \`.env\` (Docker Compose does, and \`node --env-file=.env\`). The standard \`OTEL_*\`, \`NODE_*\`
and \`PG*\` variables are not Baton's and are left alone.

${sections.map(renderSection).join('\n\n')}

## Agents

The SDK connects to the \`servers\` its options name, else to \`NATS_URL\`, else to nats://127.0.0.1:4222.
It logs in with the \`credentials\` of its options, else with the file, or the \`<id>.creds\` in the folder, that
\`BATON_NATS_CREDENTIALS_FILE\` names ([security](security.md)).
`;
}

function renderSection({ title, settings }) {
  if (settings.length === 0) return `## ${title}\n\nNothing beyond what every service reads.`;
  const rows = settings.map((setting) => [
    code(setting.name) + (setting.secret ? ' (secret)' : ''),
    setting.does,
    setting.expected,
    defaultOf(setting),
    code(setting.example),
  ]);
  return `## ${title}\n\n${table(['Variable', 'Does', 'Values', 'Default', 'Example'], rows)}`;
}

/** `.env.example`: the same, as comments in a file of variables. */
export function renderEnvironmentExample() {
  const heading = (title) => `# ── ${title} ${'─'.repeat(Math.max(3, 70 - title.length))}`;
  const parts = sections
    .filter(({ settings }) => settings.length > 0)
    .map(({ title, settings }) => [heading(title), ...settings.map(renderVariable)].join('\n\n'));
  return `# The settings of Baton with their defaults, or an example where there is none. Made by "npm run generate" from
# ${source}. Do not edit: copy what you need. docs/configuration.md says more.

${parts.join('\n\n')}
`;
}

function renderVariable(setting) {
  const { name, does, expected, secret } = setting;
  const isValue = setting.default !== undefined && !setting.default.includes(' ');
  const value = isValue ? setting.default : setting.example;
  return [
    `# ${does}`,
    `# Expects ${expected}. Default: ${defaultOf(setting)}.`,
    ...(secret ? [`# Or ${name}_FILE, the path of a file that holds it.`] : []),
    `# ${name}=${value}`,
  ].join('\n');
}

function defaultOf(setting) {
  if (setting.default !== undefined) return setting.default;
  return setting.required ? 'none, it must be set' : 'not set';
}

/** `known-names.ts`: every `BATON_*` variable, so that one meant for another part is not taken for a misspelt one. */
export function renderKnownNames() {
  const all = sections
    .flatMap(({ settings }) => settings)
    .flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]))
    .filter((name) => name.startsWith('BATON_'));
  const names = [...new Set(all)].toSorted((one, other) => (one < other ? -1 : 1));
  return `// Made from ${source} by "npm run generate". Do not edit.

/** Every \`BATON_*\` variable of every part, which a process may find in its environment. */
export const knownNames: readonly string[] = ${JSON.stringify(names)};
`;
}
