// npm run --silent credentials -- <agent id>…: writes credentials for a day and prints the folder they are in, and
// nothing else, so that a shell can take it: BATON_NATS_CREDENTIALS_FILE=$(npm run --silent credentials -- hello)
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { chosenState } from '../checkout.js';
import { openNatsAccess } from '../nats/access.js';
import { stateDirectory } from '../state/state-directory.js';

const ids = process.argv.slice(2);
const { nats: directory } = stateDirectory(chosenState());
const problem = problemOf();
if (problem !== undefined) {
  console.error(problem);
  process.exit(2);
}
const access = await openNatsAccess(directory);
console.log(await access.agentFiles(ids));

function problemOf(): string | undefined {
  const isId = (id: string) => /^[A-Za-z0-9_-]{1,64}$/.test(id);
  if (ids.length === 0 || !ids.every(isId)) {
    return '"npm run credentials" takes "-- <agent id> …", each 1 to 64 of A-Za-z0-9_-.';
  }
  if (existsSync(join(directory, 'keys.json'))) return undefined;
  return `There is no nats-server of Baton in ${directory} yet. Start it once with "npm start".`;
}
