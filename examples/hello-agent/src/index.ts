import { runAgent } from '@baton/agent';

const agent = await runAgent({
  id: process.env['AGENT_ID'] ?? 'hello',
  capabilities: ['greeting'],
  handler: (task) => {
    const { name } = task.input;
    return { greeting: `Hello, ${typeof name === 'string' ? name : 'world'}!` };
  },
});
console.log(`agent ${agent.id} is ready`);
