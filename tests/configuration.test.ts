import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { describeSettings, knownNames, readConfig } from '@baton/runtime';
import { stackSettings } from '../packages/stack/src/settings.js';
import { configSchema as distribution } from '../services/distribution-service/src/config.js';
import { configSchema as metrics } from '../services/metrics-service/src/config.js';
import { configSchema as task } from '../services/task-service/src/config.js';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const services = [
  ['task-service', task],
  ['distribution-service', distribution],
  ['metrics-service', metrics],
] as const;

describe('the known names', () => {
  it('are those of all schemas and of the stack together', () => {
    const settings = [...services.flatMap(([, schema]) => describeSettings(schema)), ...stackSettings];
    const names = settings.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]));
    const ours = names.filter((name) => name.startsWith('BATON_'));
    expect(knownNames).toEqual([...new Set(ours)].toSorted());
  });

  it('are all that the sources and documents speak of', () => {
    const files = execFileSync('git', ['ls-files', '--', '*.ts', '*.mjs', '*.md', '*.yml'], { cwd: checkout })
      .toString()
      .split('\n')
      .filter((file) => file !== '' && !/(^|\/)tests?\/|\.test\.ts$/.test(file));
    const spoken = files.flatMap((file) =>
      [...readFileSync(`${checkout}/${file}`, 'utf8').matchAll(/\bBATON_[A-Z0-9_]+\b(?!: no part)/g)].map(
        ([name]) => name,
      ),
    );
    expect(spoken).toContain('BATON_LANES');
    const unknown = new Set(
      spoken.filter((name) => !name.startsWith('BATON_TEST_') && !knownNames.includes(name)),
    );
    expect([...unknown]).toEqual([]);
  });
});

describe.each(services)('the settings of %s', (_service, schema) => {
  const settings = describeSettings(schema);
  const examples = Object.fromEntries(settings.map(({ name, example }) => [name, example]));

  it('take their examples', () => {
    expect(() => readConfig(schema, examples)).not.toThrow();
  });

  it('need no more than those that say so', () => {
    const required = settings.filter((one) => one.required).map(({ name, example }) => [name, example]);
    expect(() => readConfig(schema, Object.fromEntries(required))).not.toThrow();
    for (const [name] of required) {
      const others = Object.fromEntries(required.filter(([other]) => other !== name));
      expect(() => readConfig(schema, others)).toThrow(`${name}: got nothing`);
    }
  });
});
