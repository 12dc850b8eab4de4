import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutDirectory } from '@baton/stack';

/** One instruction, its continuation lines joined. */
export type Instruction = { readonly name: string; readonly rest: string };

/** A stage of the Dockerfile with its own instructions. */
export type Stage = {
  readonly name: string;
  /** Another stage, or an image. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
};

/** What a container of a stage runs with. */
export type ImageConfig = {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
};

/** The stages of the Dockerfile in their order, the arguments before the first put in. */
export function readDockerfile(): readonly Stage[] {
  const lines = readFileSync(join(checkoutDirectory, 'Dockerfile'), 'utf8').replaceAll(/^\s*#.*\n/gm, '');
  const instructions = lines
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseInstruction);
  const defaults = new Map<string, string>();
  const stages: { name: string; from: string; instructions: Instruction[] }[] = [];
  for (const instruction of instructions) {
    const { name, rest } = instruction;
    if (name === 'ARG' && stages.length === 0) {
      const [argument = '', value = ''] = rest.split('=');
      defaults.set(argument, value);
    } else if (name === 'FROM') {
      const [from = '', , stage = ''] = rest.split(/\s+/);
      const image = from.replaceAll(/\$\{(\w+)\}/g, (_, argument: string) => defaults.get(argument) ?? '');
      stages.push({ name: stage, from: image, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push(instruction);
    }
  }
  return stages;
}

/** The stages that make up a target, the base first. */
export function chainOf(stages: readonly Stage[], target: string): readonly Stage[] {
  const stage = stages.find(({ name }) => name === target);
  return stage === undefined ? [] : [...chainOf(stages, stage.from), stage];
}

/** What the instructions of a target say about running it; later ones win, as in Docker. */
export function configOf(stages: readonly Stage[], target: string): ImageConfig {
  const instructions = chainOf(stages, target).flatMap((stage) => stage.instructions);
  const last = (name: string): string =>
    instructions.findLast((instruction) => instruction.name === name)?.rest ?? '';
  const pairs = (name: string): Record<string, string> =>
    Object.assign(
      {},
      ...instructions.filter((instruction) => instruction.name === name).map(({ rest }) => parsePairs(rest)),
    ) as Record<string, string>;
  return {
    directory: last('WORKDIR'),
    environment: pairs('ENV'),
    user: last('USER'),
    command: parseExec(last('CMD')),
    healthcheck: parseExec(last('HEALTHCHECK').replace(/^.*?CMD /, '')),
    labels: pairs('LABEL'),
  };
}

function parseInstruction(line: string): Instruction {
  const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
  if (name === '') throw new Error(`the Dockerfile has a line the tests cannot read: ${line}`);
  return { name, rest };
}

/** `A=1 B="two words"`. */
function parsePairs(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)];
  return Object.fromEntries(pairs.map(([, name, quoted, plain]) => [name, quoted ?? plain]));
}

/** The exec form, `["program", "argument"]`: the only one in which the program itself gets the signals. */
function parseExec(text: string): readonly string[] {
  if (!text.startsWith('['))
    throw new Error(`the Dockerfile should have a command in exec form, but has: ${text}`);
  return JSON.parse(text) as readonly string[];
}
