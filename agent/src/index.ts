export { agentCommand } from './agent-command.ts';
export type * from './drivers/driver.ts';
export type { AgentHost, AgentOptions, RunningAgent } from './main.ts';
export { runAgent } from './main.ts';
