import { StackError } from '../stack-error.js';

const elsewhere = 'or set BATON_DIRECTORY to a folder of yours';
const notYours = {
  problem: 'this user may not use it',
  advice: `Make it yours again (chown -R, if it was once started with sudo), ${elsewhere}`,
};
const full = {
  problem: 'the disk is full',
  advice: 'Free some space, or set BATON_DIRECTORY to a folder on another disk',
};
const inTheWay = {
  problem: 'something else lies where a folder or file of Baton belongs',
  advice: `Move it away, ${elsewhere}`,
};
const known = new Map([
  ['EACCES', notYours],
  ['EPERM', notYours],
  ['EROFS', { problem: 'it cannot be written', advice: `Make it writable, ${elsewhere}` }],
  ['ENOSPC', full],
  ['EDQUOT', full],
  ['ENOTDIR', inTheWay],
  ['EISDIR', inTheWay],
  ['EEXIST', inTheWay],
]);

/** What the system refused about a file of the state directory, as STATE_UNUSABLE; any other error as it is. */
export function explainFileTrouble(cause: unknown, directory: string): unknown {
  if (cause instanceof StackError) return cause;
  const { code = '', path = directory } = (cause ?? {}) as NodeJS.ErrnoException;
  const found = known.get(code);
  if (found === undefined) return cause;
  return new StackError('STATE_UNUSABLE', `${path}: ${found.problem} (${code}). ${found.advice}.`, { cause });
}
