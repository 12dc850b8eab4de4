/** A file that breaks one rule of the repository, and the rule that must find it. */
export type BadFile = SourceFile & { readonly rule: string };
export type SourceFile = { readonly path: string; readonly source: string };

const TASKS = 'services/some-service/src/tasks';
const PURE_ROLES = ['state', 'decide', 'graph', 'scoring', 'fold', 'filter', 'pick', 'policy'];
const IMPURE = [
  'node:fs',
  'pg',
  'pino',
  'typeorm',
  '@nestjs/common',
  '@nats-io/transport-node',
  '@baton/bus',
  './some.store.js',
  '../other/some.table.js',
  './some.service.js',
  './some.controller.js',
  './some.consumer.js',
  '../some.module.js',
  '../../../other-service/src/some.state.js',
  './some.state.test.js',
];

const PURE = ['@baton/contracts', 'zod', './other.state.js', '../graphs/other.graph.js', './words.js'];

/** Who may not import what. */
const FORBIDDEN_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  [`${TASKS}/some.table.ts`]: [
    'pg',
    '@nestjs/common',
    '@nats-io/jetstream',
    './some.store.js',
    './some.service.js',
  ],
  [`${TASKS}/some.store.ts`]: [
    '@nestjs/common',
    '@nats-io/jetstream',
    '@baton/bus',
    './some.service.js',
    '../../../other-service/src/x.js',
  ],
  [`${TASKS}/some.service.ts`]: [
    'typeorm',
    'pg',
    'fastify',
    '@nats-io/jetstream',
    './some.controller.js',
    '../../../other-service/src/x.js',
  ],
  [`${TASKS}/some.controller.ts`]: [
    'typeorm',
    'pg',
    './some.store.js',
    '../other/some.table.js',
    '../../../other-service/src/x.js',
  ],
  [`${TASKS}/some.consumer.ts`]: ['typeorm', '@nats-io/jetstream', './some.store.js', './some.module.js'],
  [`${TASKS}/some.module.ts`]: ['@baton/task-service', '@baton/testkit', '@baton/contracts/dist/task.js'],
  [`${TASKS}/plain.ts`]: [
    '@baton/task-service',
    '../../../other-service/src/x.js',
    './plain.test.js',
    'fast-check',
  ],
  'services/distribution-service/src/fleet/plain.ts': ['typeorm', 'pg', '@baton/task-service'],
  'packages/contracts/src/plain.ts': ['node:crypto', '@baton/bus', '@nestjs/common', 'pino'],
  'packages/bus/src/plain.ts': ['@baton/agent', '@baton/runtime', 'typeorm'],
  'packages/runtime/src/plain.ts': ['@baton/bus', 'pg'],
  'packages/agent/src/plain.ts': ['@nats-io/jetstream', '@nestjs/common', '@baton/bus', 'pg'],
  'packages/stack/src/plain.ts': ['@baton/contracts', '@nestjs/common'],
  'examples/some-agent/src/plain.ts': ['@baton/testkit', '@baton/task-service'],
};

/** One file an import, so that each refusal is seen; the role stays the last part of the name. */
function importing(path: string, specifiers: readonly string[]): readonly SourceFile[] {
  return specifiers.map((specifier, index) => ({
    path: path.replace(/([^/]+)$/, `${index}/$1`),
    source: `import * as it from '${specifier}';\nexport const x: unknown = it;\n`,
  }));
}

export type ImportCase = {
  readonly name: string;
  readonly specifiers: string;
  readonly files: readonly SourceFile[];
};

function importCases(table: Readonly<Record<string, readonly string[]>>): readonly ImportCase[] {
  return Object.entries(table).map(([path, specifiers]) => ({
    name: path,
    specifiers: specifiers.join(', '),
    files: importing(path, specifiers),
  }));
}

export const REFUSED_IMPORTS = importCases({
  ...Object.fromEntries(PURE_ROLES.map((role) => [`${TASKS}/${role}/some.${role}.ts`, IMPURE])),
  ...FORBIDDEN_IMPORTS,
});

export const ALLOWED_IMPORTS = importCases({
  ...Object.fromEntries(PURE_ROLES.map((role) => [`${TASKS}/good/some.${role}.ts`, PURE])),
  [`${TASKS}/good/some.table.ts`]: ['typeorm', '@baton/contracts', './task.state.js'],
  [`${TASKS}/good/some.store.ts`]: ['typeorm', '@baton/contracts', './task.table.js', 'node:crypto'],
  [`${TASKS}/good/some.service.ts`]: ['@nestjs/common', '@baton/bus', './task.store.js', './task.decide.js'],
  [`${TASKS}/good/some.controller.ts`]: ['@nestjs/common', '@baton/bus', './task.service.js'],
  [`${TASKS}/good/some.consumer.ts`]: ['@nestjs/microservices', '@baton/bus', '../agents/agent.service.js'],
  [`${TASKS}/good/some.module.ts`]: ['@nestjs/typeorm', './task.store.js', './task.controller.js'],
  'services/some-service/src/http/problem.filter.ts': ['@nestjs/common', 'fastify', './caller.js'],
  'packages/contracts/src/good/plain.ts': ['zod', './words.js'],
  'packages/agent/src/good/plain.ts': [
    '@baton/contracts',
    '@nats-io/transport-node',
    'node:crypto',
    '../hello.js',
  ],
  'packages/bus/src/good/plain.ts': ['@baton/contracts', '@nats-io/jetstream', '@nestjs/microservices'],
});

const promise = 'export const later = async (): Promise<void> => {};\n';

/** What else must be found, one rule a file. */
export const BAD_FILES: readonly BadFile[] = [
  {
    path: `${TASKS}/clock.state.ts`,
    rule: 'eslint(no-restricted-properties)',
    source: 'export const at = (): number => Date.now();\n',
  },
  {
    path: `${TASKS}/chance.decide.ts`,
    rule: 'eslint(no-restricted-properties)',
    source: 'export const chance = (): number => Math.random();\n',
  },
  {
    path: `${TASKS}/environment.fold.ts`,
    rule: 'eslint(no-restricted-globals)',
    source: `export const home = (): unknown => process.env['HOME'];\n`,
  },
  {
    path: 'packages/stack/src/floating.ts',
    rule: 'typescript(no-floating-promises)',
    source: `${promise}later();\n`,
  },
  {
    path: 'packages/stack/src/floating.test.ts',
    rule: 'typescript(no-floating-promises)',
    source: `${promise}later();\n`,
  },
  {
    path: 'packages/stack/src/misused.ts',
    rule: 'typescript(no-misused-promises)',
    source: `${promise}process.on('exit', later);\n`,
  },
  {
    path: 'packages/stack/src/switch.ts',
    rule: 'typescript(switch-exhaustiveness-check)',
    source: [
      `export function size(kind: 'small' | 'large'): number | undefined {`,
      `  switch (kind) {`,
      `    case 'small':`,
      `      return 1;`,
      `  }`,
      `  return undefined;`,
      `}\n`,
    ].join('\n'),
  },
  {
    path: 'packages/stack/src/value-import.ts',
    rule: 'typescript(consistent-type-imports)',
    source: `import { URL } from 'node:url';\nexport const same = (url: URL): URL => url;\n`,
  },
  {
    path: 'packages/stack/src/cycle-a.ts',
    rule: 'import(no-cycle)',
    source: `import { b } from './cycle-b.js';\nexport const a = (): number => b() + 1;\n`,
  },
  {
    path: 'packages/stack/src/cycle-b.ts',
    rule: 'import(no-cycle)',
    source: `import { a } from './cycle-a.js';\nexport const b = (): number => a() + 1;\n`,
  },
  {
    path: 'packages/stack/src/default.ts',
    rule: 'import(no-default-export)',
    source: 'export default 1;\n',
  },
  {
    path: 'packages/stack/src/any.ts',
    rule: 'typescript(no-explicit-any)',
    source: 'export const read = (value: any): unknown => value;\n',
  },
  {
    path: 'packages/stack/src/long.ts',
    rule: 'eslint(max-lines)',
    source: `${'// line\n'.repeat(251)}export const x = 1;\n`,
  },
  {
    path: 'packages/stack/src/ternary.ts',
    rule: 'eslint(no-nested-ternary)',
    source: `export const word = (n: number): string => (n > 1 ? 'many' : n === 1 ? 'one' : 'none');\n`,
  },
  {
    path: `${TASKS}/console.ts`,
    rule: 'eslint(no-console)',
    source: `console.log('not the logger');\n`,
  },
  {
    path: `${TASKS}/mocking.test.ts`,
    rule: 'jest(no-restricted-jest-methods)',
    source: `import { jest } from '@jest/globals';\njest.mock('./thing.js');\n`,
  },
];
