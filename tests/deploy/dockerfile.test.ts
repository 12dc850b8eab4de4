import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkoutDirectory } from '@baton/stack';
import { configSchema } from '../../services/task-service/src/config.js';
import { buildContext, filesOfContext } from './build-context.js';
import { chainOf, configOf, readDockerfile } from './dockerfile.js';

const stages = readDockerfile();
const targets = ['task-service', 'distribution-service', 'metrics-service'];

describe('Dockerfile', () => {
  it.each(targets)('runs %s on Node 24, as an ordinary user, in production mode', (target) => {
    expect(chainOf(stages, target)[0]?.from).toMatch(/^node:24-/);
    expect(configOf(stages, target)).toMatchObject({
      user: 'node',
      directory: '/baton',
      environment: { NODE_ENV: 'production' },
    });
  });

  it.each(targets)('starts %s as `npm start` does', (target) => {
    const { command } = configOf(stages, target);
    expect(command).toEqual([
      'node',
      '--enable-source-maps',
      '--max-semi-space-size=32',
      '--import',
      '@baton/runtime/tracing',
      `services/${target}/dist/main.js`,
    ]);
  });

  it('sets only variables that the services read', () => {
    const names = Object.keys(configOf(stages, 'task-service').environment);
    const known = ['NODE_ENV', ...Object.keys(configSchema.shape)];
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('installs from the manifests of all packages it builds', () => {
    const [manifests] = stages;
    const copied = manifests?.instructions.flatMap(({ rest }) => /^\S+\/package\.json(?= )/.exec(rest) ?? []);
    const built = filesOfContext().filter((path) => path.endsWith('/package.json'));
    expect(copied).toEqual(built.toSorted());
  });

  it('says what it is', () => {
    const manifest = JSON.parse(readFileSync(join(checkoutDirectory, 'package.json'), 'utf8')) as object;
    const titles = targets.map((target) => configOf(stages, target).labels['org.opencontainers.image.title']);
    expect(titles).toEqual(targets.map((target) => `Baton ${target}`));
    const { labels } = configOf(stages, 'task-service');
    expect(manifest).toMatchObject({
      version: labels['org.opencontainers.image.version'],
      license: labels['org.opencontainers.image.licenses'],
    });
  });
});

describe('.dockerignore', () => {
  it.each([
    '.env',
    '.git/config',
    '.baton/secrets.json',
    'node_modules/pg/package.json',
    'packages/bus/node_modules/x/index.js',
    'packages/bus/dist/index.js',
    'packages/bus/.env.local',
    'packages/bus/test/bus.test.ts',
    'packages/bus/src/link.test.ts',
    'packages/stack/package.json',
    'services/task-service/dist/main.js',
    'services/task-service/test/fixture.ts',
    'tests/deploy/compose.test.ts',
    'docker-compose.yml',
  ])('keeps %s out', (path) => {
    expect(buildContext()(path)).toBe(false);
  });

  it('lets in what the build needs', () => {
    const files = filesOfContext();
    expect(files).toEqual(
      expect.arrayContaining([
        'package-lock.json',
        'packages/contracts/src/index.ts',
        'services/task-service/src/main.ts',
        'services/task-service/tsconfig.json',
      ]),
    );
    const others = files.filter(
      (path) => !/^(packages|services)\/[\w-]+\/(src\/.*\.ts|\w+\.json)$/.test(path),
    );
    expect(others.toSorted()).toEqual([
      'docs/asyncapi.json',
      'docs/openapi.json',
      'package-lock.json',
      'package.json',
      'tsconfig.base.json',
    ]);
  });
});
