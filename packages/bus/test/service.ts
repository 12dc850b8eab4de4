import { findFreePort } from '@baton/stack';
import type { TestNats } from '@baton/testkit';
import type { Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { pino, type Logger } from 'pino';
import { connectBus, type Bus } from '../src/index.js';

type Strategy = { listen(callback: () => void): void; close(): Promise<void> };

/** Starts a Nest application around one strategy; returns how to close it. */
export async function startService(strategy: Strategy, controller: Type): Promise<() => Promise<void>> {
  class TestModule {
    readonly controller = controller;
  }
  Module({ controllers: [controller] })(TestModule);
  const app = await NestFactory.createMicroservice(TestModule, { strategy, logger: false });
  await app.listen();
  return () => app.close();
}

export type LogLine = { readonly level: number; readonly msg: string } & Readonly<Record<string, unknown>>;

/** A logger that keeps its lines. */
export function keepingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as LogLine);
  return { logger: pino({ level: 'debug' }, { write }), lines };
}

export type Server = Pick<TestNats, 'url'> & Partial<Pick<TestNats, 'access'>>;

/** A bus that may do everything. */
export async function testBus(
  { url, access }: Server,
  name = 'svc-test',
  logger = keepingLogger().logger,
): Promise<Bus> {
  const credentials = await access?.operator();
  return connectBus({ servers: url, name, inboxPrefix: `_INBOX.${name}`, credentials, logger });
}

/** An address where nothing listens yet. */
export async function freeAddress(): Promise<{ url: string; port: number }> {
  const port = await findFreePort();
  return { url: `nats://127.0.0.1:${port}`, port };
}

/** A promise and what fulfils it. */
export function gate(): { passed: Promise<void>; open: () => void } {
  let open: (() => void) | undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open?.() };
}
